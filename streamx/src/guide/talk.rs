// The service of the pages `streams`, `context`, `errors`, `cancel` and `time`.

use streamx::{Bidi, Context, Error, Message, Result, Sender, Streaming, client};

#[derive(Message, Clone, Debug, Default, PartialEq)]
pub struct Line {
    #[field(1)]
    pub text: String,
}

pub fn line(text: &str) -> Line {
    Line { text: text.to_owned() }
}

#[streamx::service]
pub trait Talk {
    async fn ask(&self, ctx: Context, line: Line) -> Result<Line>;

    #[client_stream]
    async fn join(&self, lines: Streaming<Line>) -> Result<Line>;

    #[server_stream]
    async fn repeat(&self, ctx: Context, line: Line, lines: Sender<Line>) -> Result<()>;

    #[bidi]
    async fn echo(&self, ctx: Context, lines: Bidi<Line, Line>) -> Result<()>;
}

pub struct Parrot;

impl Talk for Parrot {
    async fn ask(&self, ctx: Context, line: Line) -> Result<Line> {
        ctx.set_header("served-by", "parrot")?;
        if line.text == "biscuit" {
            return Err(Error::biz(10001, "no biscuits").with_extra("left", "0"));
        }
        Ok(line)
    }

    async fn join(&self, mut lines: Streaming<Line>) -> Result<Line> {
        let mut all = Vec::new();
        while let Some(line) = lines.recv().await? {
            all.push(line.text);
        }
        Ok(Line { text: all.join(" ") })
    }

    async fn repeat(&self, ctx: Context, line: Line, mut lines: Sender<Line>) -> Result<()> {
        ctx.set_header("served-by", "parrot")?;
        for _ in 0..3 {
            lines.send(&line).await?;
        }
        ctx.set_trailer("lines", "3")
    }

    async fn echo(&self, _ctx: Context, mut lines: Bidi<Line, Line>) -> Result<()> {
        while let Some(line) = lines.recv().await? {
            lines.send(line).await?;
        }
        Ok(())
    }
}
