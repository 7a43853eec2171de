// The service of the examples in testing.md, which shows it.
use streamx::{Bidi, Context, Error, Message, Result};

#[derive(Message, Clone, Debug, Default, PartialEq)]
pub struct Line {
    #[field(1)]
    pub text: String,
}

#[streamx::service]
pub trait Chat {
    async fn count(&self, line: Line) -> Result<i64>;

    #[bidi]
    async fn talk(&self, ctx: Context, lines: Bidi<Line, Line>) -> Result<()>;
}

pub struct Room;

impl Chat for Room {
    async fn count(&self, line: Line) -> Result<i64> {
        i64::try_from(line.text.len()).map_err(Error::other)
    }

    async fn talk(&self, ctx: Context, mut lines: Bidi<Line, Line>) -> Result<()> {
        let user = ctx.persistent("user").ok_or_else(|| Error::biz(401, "who are you?"))?;
        ctx.set_header("room", "main")?;
        let mut count = 0;
        while let Some(line) = lines.recv().await? {
            count += 1;
            lines.send(Line { text: format!("{user}: {}", line.text) }).await?;
        }
        ctx.set_trailer("lines", &count.to_string())
    }
}
