//! The product as its users run it: one process, on folders of its own.

use std::{fs, net::TcpListener, path::Path, process::Stdio, time::Duration};

use anyhow::{Context, Result, bail};
use serde_json::Value;
use tempfile::TempDir;
use tokio::process::{Child, Command};

/// The connection that is checked and unchecked; the list has more, as a real one does.
pub const CONNECTION: &str = "main 1;sub 1";

const CONNECTIONS: usize = 100;
const TRIES_TO_REACH: usize = 15_000;
const USER: &str = "bench";

/// A running server.
pub struct Server {
    process: Child,
    _folders: TempDir,
    /// `127.0.0.1:PORT`.
    pub address: String,
    /// An access token for its sockets.
    pub token: String,
}

impl Server {
    /// Starts the program on a data directory that was prepared, and signs in.
    pub async fn start(program: &Path, prepare: impl FnOnce(&Path) -> Result<()>) -> Result<Server> {
        let folders = tempfile::tempdir()?;
        let folder = |name: &str| folders.path().join(name);
        fs::create_dir(folder("config"))?;
        let lines: Vec<String> = (1..=CONNECTIONS).map(|number| format!("main 1;sub {number}")).collect();
        fs::write(folder("config").join("sessions.csv"), lines.join("\n"))?;
        fs::write(folder("config").join("users.txt"), "alice\n")?;
        fs::write(
            folder("config").join("vpn-sessions.toml"),
            "[limits]\ncommands_per_minute = 100000\nsockets_per_account = 100000\nsockets_per_address = 100000\n",
        )?;
        prepare(&folder("data"))?;
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string();
        let password = password()?;
        let process = Command::new(program)
            .env_clear()
            .envs([("LISTEN", address.as_str()), ("HC_USER", USER), ("HC_PW", &password), ("RUST_LOG", "error")])
            .env("CONFIG_DIR", folder("config"))
            .env("DATA_DIR", folder("data"))
            .env("AUDIT_DIR", folder("audit"))
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        let token = signed_in(&address, &password).await?;
        Ok(Server { process, _folders: folders, address, token })
    }

    /// The most memory that it has had at once, in bytes, as proc(5) tells.
    pub fn peak_memory(&self) -> Result<u64> {
        let pid = self.process.id().context("the server has ended")?;
        let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("proc(5) tells no VmHWM")?;
        Ok(line.trim().trim_end_matches(" kB").parse::<u64>()? * 1_024)
    }
}

async fn signed_in(address: &str, password: &str) -> Result<String> {
    let client = reqwest::Client::new();
    for _ in 0..TRIES_TO_REACH {
        let request = client.post(format!("http://{address}/api/loginUser")).basic_auth(USER, Some(password));
        if let Ok(answer) = request.send().await {
            let body: Value = answer.error_for_status()?.json().await?;
            return body["token"].as_str().map(str::to_owned).context("the server gave no token");
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    bail!("the server does not answer at {address}")
}

/// A password of the system's randomness, for this run only.
fn password() -> Result<String> {
    let mut bits = [0; 16];
    std::io::Read::read_exact(&mut fs::File::open("/dev/urandom")?, &mut bits)?;
    Ok(format!("{:032x}", u128::from_be_bytes(bits)))
}
