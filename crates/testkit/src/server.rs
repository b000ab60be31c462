//! The server on a port of its own, in a world that is set.

use std::{
    net::{SocketAddr, TcpListener},
    sync::Arc,
    time::Duration,
};

use app::{
    access::AccessLog,
    accounts::{AccountSettings, Accounts},
    board::Board,
    history::History,
    passwords::Passwords,
    relay::Relay,
    reports::Reports,
};
use domain::{
    account::People,
    board::ReportZone,
    checkpoint::CheckpointKey,
    list_file::{read_connections, read_users},
    names::UserName,
};
use outbound::FolderShare;
use tokio::{sync::oneshot, task::JoinHandle};
use web::{
    Parts, WebSettings,
    access_token::AccessTokens,
    limits::{LimitSettings, Limits},
};

use crate::TestWorld;

/// The service user's name.
pub const SERVICE_USER: &str = "promon";

/// The service user's password.
pub const SERVICE_PASSWORD: &str = "a password for tests";

const CONNECTIONS: &str = "vpn main 1;vpn sub 1\nvpn main 1;vpn sub 2\nvpn main 2;vpn sub 1;2\n";
const USERS: &str = "alice\nbob\ncarol;auditor\n";

/// A running server with three connections and three people, whose board is open.
pub struct TestServer {
    /// Where it listens.
    pub address: SocketAddr,
    parts: Arc<Parts>,
    stop: oneshot::Sender<()>,
    served: JoinHandle<std::io::Result<()>>,
}

impl TestServer {
    /// Starts it in that world.
    ///
    /// # Panics
    /// Where it does not start.
    pub async fn start(world: &TestWorld) -> TestServer {
        let parts = Arc::new(parts(world).await);
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        listener.set_nonblocking(true).expect("a socket can be set");
        let address = listener.local_addr().expect("a listener has an address");
        let (stop, stopped) = oneshot::channel();
        let served = tokio::spawn(web::serve(listener, Arc::clone(&parts), async {
            // A test that ends without stopping stops as well.
            let _ = stopped.await;
        }));
        TestServer { address, parts, stop, served }
    }

    /// A path as a URL.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Brings the reports up to date, as the follower does by itself.
    pub async fn reports_catch_up(&self) {
        self.parts.reports.catch_up().await;
    }

    /// Stops it, and waits until it has.
    ///
    /// # Panics
    /// Where it does not end well.
    pub async fn stop(self) {
        let _ = self.stop.send(());
        self.served.await.expect("the server does not panic").expect("the server ends well");
    }
}

async fn parts(world: &TestWorld) -> Parts {
    let list = Arc::new(read_connections(CONNECTIONS.as_bytes()).expect("the list is right"));
    let zone = ReportZone { name: "Europe/Berlin".into(), rules: berlin() };
    let board = Board::open(world.world(), Arc::clone(&list), zone).await.expect("the board opens");
    board.take_up(list).await.expect("the list is taken up");
    let findings = Arc::clone(&world.findings);
    let key = CheckpointKey::of_seed([7; 32]);
    let folder = world.path("audit");
    let share = FolderShare::new(folder);
    share.prepare().await.expect("the share's folder can be made");
    let reports = Arc::new(Reports::new(world.ledger.clone(), Arc::new(share), Arc::clone(&findings), key));
    let everything = world.world();
    let history = Arc::new(History::new(world.ledger.clone(), world.chains(), everything.clock.clone()));
    let access = Arc::new(AccessLog::open(world.world()).await.expect("the record of access opens"));
    Parts {
        accounts: accounts(world, Arc::clone(&access)).await,
        access,
        sign_on: None,
        relay: Relay::open(world.world(), None).await.expect("the outbox opens"),
        board,
        reports,
        history,
        findings,
        access_tokens: AccessTokens::new(b"a secret for tests, long enough to be one"),
        limits: Limits::new(&settings().limits, Arc::clone(&everything.clock)),
        tls: None,
        clock: everything.clock,
        entropy: everything.entropy,
        settings: settings(),
    }
}

async fn accounts(world: &TestWorld, access: Arc<AccessLog>) -> Accounts {
    let service = UserName::parse(SERVICE_USER).expect("the name is right");
    let users = read_users(USERS.as_bytes()).expect("the people are right");
    let settings = AccountSettings { board_is_open: true, service_password: Some(SERVICE_PASSWORD.into()) };
    let passwords = Passwords::new().expect("passwords can be hashed");
    let people = People::new(users, service, true);
    Accounts::open(world.world(), people, settings, passwords, access).await.expect("the accounts open")
}

fn settings() -> WebSettings {
    WebSettings {
        access_token_minutes: 60,
        public_origin: None,
        trusted_proxies: Vec::new(),
        only_loopback: false,
        ping_interval: Duration::from_secs(20),
        ping_timeout: Duration::from_secs(10),
        max_payload: 65_536,
        limits: LimitSettings {
            sockets: 100,
            sockets_per_account: 100,
            sockets_per_address: 100,
            commands_per_minute: 6_000,
            messages_per_minute: 6_000,
            failed_sign_ins_per_minute: 20,
        },
    }
}

fn berlin() -> jiff::tz::TimeZone {
    jiff::tz::TimeZone::get("Europe/Berlin").expect("the zones are bundled")
}
