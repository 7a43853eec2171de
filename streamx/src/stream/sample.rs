//! A service for tests, with a method of every mode.

use crate as streamx;
use crate::{Bidi, Code, Context, Error, Message, Result, Sender, Streaming};

#[derive(Message, Clone, Debug, Default, PartialEq)]
#[message(crate = crate)]
pub(crate) struct Number {
    #[field(1)]
    pub(crate) value: i64,
}

pub(crate) fn number(value: i64) -> Number {
    Number { value }
}

#[derive(Message, Clone, Debug, Default, PartialEq)]
#[message(crate = crate, exception)]
pub(crate) struct Negative {
    #[field(1)]
    pub(crate) value: i64,
}

#[streamx::service(crate = crate, namespace = "sums")]
pub(crate) trait Sums {
    /// The sum of two numbers.
    async fn add(&self, a: i64, #[field(5)] b: Option<i64>) -> Result<i64>;
    async fn ping(&self) -> Result<()>;
    async fn root(&self, number: Number) -> Result<Number, Negative>;
    async fn find(&self, number: Number) -> Result<Option<Number>>;
    #[oneway(name = "log_number")]
    async fn log(&self, number: Number);
    #[client_stream]
    async fn sum(&self, numbers: Streaming<Number>) -> Result<Number>;
    #[server_stream]
    async fn count(&self, to: Number, numbers: Sender<Number>) -> Result<(), Negative>;
    #[bidi]
    async fn double(&self, numbers: Bidi<Number, Number>) -> Result<()>;
}

#[derive(Debug)]
pub(crate) struct Calculator;

impl Sums for Calculator {
    async fn add(&self, a: i64, b: Option<i64>) -> Result<i64> {
        a.checked_add(b.unwrap_or(1)).ok_or_else(|| Error::new(Code::OutOfRange, "too large"))
    }

    async fn ping(&self) -> Result<()> {
        Ok(())
    }

    async fn root(&self, number: Number) -> Result<Number, Negative> {
        if number.value < 0 {
            Err(Negative { value: number.value })
        } else {
            Ok(Number { value: number.value.isqrt() })
        }
    }

    async fn find(&self, number: Number) -> Result<Option<Number>> {
        Ok(Some(number).filter(|number| number.value == 7))
    }

    async fn log(&self, _: Number) {}

    async fn sum(&self, mut numbers: Streaming<Number>) -> Result<Number> {
        let mut sum = 0;
        while let Some(Number { value }) = numbers.recv().await? {
            sum += value;
        }
        Ok(number(sum))
    }

    async fn count(&self, to: Number, mut numbers: Sender<Number>) -> Result<(), Negative> {
        for value in 0..to.value {
            if numbers.send(number(value)).await.is_err() {
                break;
            }
        }
        if to.value < 0 { Err(Negative { value: to.value }) } else { Ok(()) }
    }

    async fn double(&self, mut numbers: Bidi<Number, Number>) -> Result<()> {
        while let Some(Number { value }) = numbers.recv().await? {
            numbers.send(number(value * 2)).await?;
        }
        Ok(())
    }
}

/// Says what it knows of its caller, with a context in every mode.
#[streamx::service(crate = crate)]
pub(crate) trait Known {
    async fn who(&self, ctx: Context, greeting: String, times: i64) -> Result<String>;
    #[oneway]
    async fn log(&self, #[context] _ctx: Alias, number: Number);
    #[client_stream]
    async fn sum(&self, ctx: Context, numbers: Streaming<Number>) -> Result<Number>;
    #[server_stream]
    async fn count(&self, ctx: Context, to: Number, numbers: Sender<Number>) -> Result<()>;
    #[bidi]
    async fn double(&self, ctx: Context, numbers: Bidi<Number, Number>) -> Result<()>;
}

type Alias = Context;

#[derive(Debug)]
pub(crate) struct Knowing;

impl Known for Knowing {
    async fn who(&self, ctx: Context, greeting: String, times: i64) -> Result<String> {
        ctx.set_header("method", ctx.method())?;
        ctx.set_trailer("times", &times.to_string())?;
        let (user, attempt) = (ctx.persistent("user"), ctx.transient("attempt"));
        Ok(format!("{greeting} {user:?} {attempt:?}"))
    }

    async fn log(&self, _: Context, _: Number) {}

    async fn sum(&self, ctx: Context, mut numbers: Streaming<Number>) -> Result<Number> {
        ctx.set_header("from", "sum")?;
        let mut sum = 0;
        while let Some(Number { value }) = numbers.recv().await? {
            sum += value;
        }
        ctx.set_trailer("sum", &sum.to_string())?;
        Ok(number(sum))
    }

    async fn count(&self, ctx: Context, to: Number, mut numbers: Sender<Number>) -> Result<()> {
        ctx.set_trailer("to", &to.value.to_string())?;
        numbers.send(to).await
    }

    async fn double(&self, ctx: Context, mut numbers: Bidi<Number, Number>) -> Result<()> {
        tokio::select! {
            biased;
            reason = ctx.cancelled() => Err(reason),
            number = numbers.recv() => number.map(drop),
        }
    }
}
