//! As many pages as a large company has, each a socket as a browser opens it.

use anyhow::{Context, Result, bail, ensure};
use futures_util::{SinkExt, StreamExt};
use tokio::{net::TcpStream, sync::mpsc, time::Instant};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async, tungstenite::Message};

use crate::{
    figures::Round,
    server::{CONNECTION, Server},
};

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// What a page tells.
enum Told {
    /// It has a change, encoded in so many bytes.
    Change(Instant, usize),
    /// The server's answer to what it asked.
    Answer(Instant, String),
}

/// All pages; the first of them checks and unchecks.
pub struct Pages {
    asks: Vec<mpsc::Sender<String>>,
    told: mpsc::Receiver<Told>,
    asked: usize,
    frame_bytes: usize,
}

impl Pages {
    /// Opens them, and waits until each has the board and a first change.
    pub async fn open(server: &Server, count: usize) -> Result<Pages> {
        let (tell, told) = mpsc::channel(2 * count + 2);
        let mut asks = Vec::with_capacity(count);
        for _ in 0..count {
            let socket = open(server).await?;
            let (ask, to_ask) = mpsc::channel(1);
            tokio::spawn(be_page(socket, to_ask, tell.clone()));
            asks.push(ask);
        }
        let mut pages = Pages { asks, told, asked: 0, frame_bytes: 0 };
        pages.toggle().await?;
        pages.all_have_it(Instant::now()).await?;
        Ok(pages)
    }

    /// How long a change is on the wire, in bytes, with its frame's head (RFC 6455, 5.2).
    pub fn frame_bytes(&self) -> usize {
        self.frame_bytes + if self.frame_bytes < 126 { 2 } else { 4 }
    }

    /// Checks the connection, or unchecks it.
    pub async fn toggle(&mut self) -> Result<()> {
        self.asked += 1;
        let event = if self.asked % 2 == 1 { "check" } else { "uncheck" };
        let packet = format!(r#"42{}["{event}",{{"connection":"{CONNECTION}"}}]"#, self.asked);
        self.asks[0].send(packet).await.context("the first page is gone")
    }

    /// Waits until every page has the change and the first its answer.
    pub async fn all_have_it(&mut self, asked: Instant) -> Result<Round> {
        let (mut last, mut acknowledged) = (asked, asked);
        for _ in 0..=self.asks.len() {
            match self.told.recv().await.context("all pages are gone")? {
                Told::Change(at, bytes) => {
                    last = last.max(at);
                    self.frame_bytes = bytes;
                }
                Told::Answer(at, answer) => {
                    ensure!(answer.contains(r#""ok":true"#), "the server answers {answer}");
                    acknowledged = at;
                }
            }
        }
        Ok(Round { acknowledged: acknowledged - asked, last: last - asked })
    }
}

/// A socket that has signed in and has the board.
async fn open(server: &Server) -> Result<Socket> {
    let url = format!("ws://{}/socket.io/?EIO=4&transport=websocket", server.address);
    let (mut socket, _) = connect_async(url).await?;
    socket.send(Message::text(format!(r#"40{{"token":"{}"}}"#, server.token))).await?;
    while let Some(frame) = socket.next().await {
        let Message::Text(text) = frame? else { continue };
        ensure!(!text.starts_with("44"), "a page may not connect: {text}");
        if text.starts_with(r#"42["board""#) {
            return Ok(socket);
        }
    }
    bail!("the server closed a page")
}

/// Answers pings (`2` by `3`, Engine.IO 4), asks what it is told to, and tells what comes.
async fn be_page(mut socket: Socket, mut to_ask: mpsc::Receiver<String>, tell: mpsc::Sender<Told>) -> Result<()> {
    loop {
        tokio::select! {
            frame = socket.next() => {
                let Message::Text(text) = frame.context("the server closed a page")?? else { continue };
                let at = Instant::now();
                match text.as_bytes() {
                    [b'2'] => socket.send(Message::text("3")).await?,
                    [b'4', b'3', ..] => tell.send(Told::Answer(at, text.to_string())).await?,
                    _ if text.starts_with(r#"42["changes""#) => tell.send(Told::Change(at, text.len())).await?,
                    _ => {}
                }
            }
            Some(packet) = to_ask.recv() => socket.send(Message::text(packet)).await?,
        }
    }
}
