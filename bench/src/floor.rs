//! The bare limit: a process that, at each byte from its first socket, writes one ready frame to every socket.

use std::{
    io::{Read, Write},
    net::TcpListener,
    path::Path,
    process::Stdio,
    time::Duration,
};

use anyhow::{Context, Result};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{
        TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    process::{Child, Command},
    sync::mpsc,
    time::Instant,
};

/// Serves on standard input's terms: says its port, takes `sockets` connections, and ends with the first of them.
pub fn serve(frame_bytes: usize) -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    println!("{}", listener.local_addr()?);
    let mut asks = listener.accept()?.0;
    let mut count = [0; 8];
    asks.read_exact(&mut count)?;
    let sockets: Vec<_> = (0..u64::from_le_bytes(count)).map(|_| Ok(listener.accept()?.0)).collect::<Result<_>>()?;
    sockets.iter().try_for_each(|socket| socket.set_nodelay(true))?;
    let frame = vec![b'x'; frame_bytes];
    let mut byte = [0];
    while asks.read(&mut byte)? > 0 {
        for mut socket in &sockets {
            socket.write_all(&frame)?;
        }
    }
    Ok(())
}

/// That process, and who reads from it.
pub struct Floor {
    _process: Child,
    asks: OwnedWriteHalf,
    _answers: OwnedReadHalf,
    arrivals: mpsc::Receiver<Instant>,
    sockets: usize,
}

impl Floor {
    /// Starts the process and opens its sockets.
    pub async fn start(program: &Path, sockets: usize, frame_bytes: usize) -> Result<Floor> {
        let mut process = Command::new(program)
            .args(["--be-floor", &frame_bytes.to_string()])
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let mut address = String::new();
        BufReader::new(process.stdout.take().context("its output is piped")?).read_line(&mut address).await?;
        let (answers, mut asks) = TcpStream::connect(address.trim()).await?.into_split();
        asks.write_all(&(sockets as u64).to_le_bytes()).await?;
        let (tell, arrivals) = mpsc::channel(sockets + 1);
        for _ in 0..sockets {
            let mut socket = TcpStream::connect(address.trim()).await?;
            let tell = tell.clone();
            tokio::spawn(async move {
                let mut frame = vec![0; frame_bytes];
                while socket.read_exact(&mut frame).await.is_ok() {
                    let _ = tell.send(Instant::now()).await;
                }
            });
        }
        Ok(Floor { _process: process, asks, _answers: answers, arrivals, sockets })
    }

    /// From asking for the frame to the last socket having it.
    pub async fn round(&mut self) -> Result<Duration> {
        let asked = Instant::now();
        self.asks.write_all(b"x").await?;
        let mut last = asked;
        for _ in 0..self.sockets {
            last = last.max(self.arrivals.recv().await.context("a socket of the floor is gone")?);
        }
        Ok(last - asked)
    }
}
