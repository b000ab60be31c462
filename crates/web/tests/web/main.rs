//! The doors over HTTP where time matters, and the API as it is described.
//! What needs no clock is tested from outside, in `tests/`.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on ends")]

use std::{collections::BTreeSet, env, fs, path::Path};

use jiff::SignedDuration;
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use testkit::{SERVICE_PASSWORD, SERVICE_USER, TestServer, TestWorld};

mod guessing;
mod reference;

/// A browser: keeps cookies and follows no redirect.
fn browser() -> Client {
    Client::builder().cookie_store(true).redirect(reqwest::redirect::Policy::none()).build().unwrap()
}

async fn sign_in(browser: &Client, server: &TestServer, user: &str, password: &str) -> StatusCode {
    let form = [("user", user), ("password", password)];
    browser.post(server.url("/login")).form(&form).send().await.unwrap().status()
}

async fn access_token(server: &TestServer) -> Value {
    let request = Client::new().post(server.url("/api/loginUser"));
    request.basic_auth(SERVICE_USER, Some(SERVICE_PASSWORD)).send().await.unwrap().json().await.unwrap()
}

async fn get(client: &Client, url: String) -> StatusCode {
    client.get(url).send().await.unwrap().status()
}

#[tokio::test]
async fn an_access_token_ends_when_it_says() {
    let world = TestWorld::at("2026-11-24T09:00:00Z");
    let server = TestServer::start(&world).await;
    let answer = access_token(&server).await;
    assert_eq!(answer["expires_at"], "2026-11-24T10:00:00.000Z");
    let ask =
        || Client::new().get(server.url("/api/test")).header("x-access-tokens", answer["token"].as_str().unwrap());
    world.clock.set("2026-11-24T09:59:59Z");
    assert_eq!(ask().send().await.unwrap().status(), StatusCode::OK);
    world.clock.set("2026-11-24T10:00:00Z");
    assert_eq!(ask().send().await.unwrap().status(), StatusCode::UNAUTHORIZED);
    server.stop().await;
}

#[tokio::test]
async fn a_browser_is_signed_out_by_idleness_and_by_age() {
    let world = TestWorld::at("2026-11-01T09:00:00Z");
    let server = TestServer::start(&world).await;
    let alice = browser();
    assert_eq!(sign_in(&alice, &server, "alice", "").await, StatusCode::SEE_OTHER);
    world.clock.pass(SignedDuration::from_hours(11));
    assert_eq!(get(&alice, server.url("/")).await, StatusCode::OK);
    world.clock.pass(SignedDuration::from_hours(12));
    assert_eq!(get(&alice, server.url("/")).await, StatusCode::SEE_OTHER, "twelve hours without use");
    sign_in(&alice, &server, "alice", "").await;
    for _ in 0..(30 * 24 / 8 - 1) {
        world.clock.pass(SignedDuration::from_hours(8));
        assert_eq!(get(&alice, server.url("/api/v1/me")).await, StatusCode::OK);
    }
    world.clock.pass(SignedDuration::from_hours(8));
    assert_eq!(get(&alice, server.url("/api/v1/me")).await, StatusCode::UNAUTHORIZED, "thirty days at most");
    server.stop().await;
}

#[tokio::test]
async fn a_session_over_new_year_is_in_the_week_of_its_uncheck() {
    let world = TestWorld::at("2026-12-31T22:00:00Z");
    let server = TestServer::start(&world).await;
    let admin = browser();
    sign_in(&admin, &server, SERVICE_USER, SERVICE_PASSWORD).await;
    let check = admin.post(server.url("/api/v1/sessions")).json(&json!({ "connection": "vpn main 1;vpn sub 1" }));
    let session: Value = check.send().await.unwrap().json().await.unwrap();
    world.clock.set("2027-01-03T23:00:00Z");
    sign_in(&admin, &server, SERVICE_USER, SERVICE_PASSWORD).await;
    let ended = admin.delete(server.url(&format!("/api/v1/sessions/{}", session["id"].as_str().unwrap())));
    let ended: Value = ended.send().await.unwrap().json().await.unwrap();
    assert_eq!(ended["duration_s"], 3 * 24 * 3600 + 3600);
    server.reports_catch_up().await;
    let list = admin.get(server.url("/api/v1/audit/reports")).send().await.unwrap();
    let list: Value = list.json().await.unwrap();
    assert_eq!(list["reports"][0]["week"], "2027-W01", "in Berlin the new week has begun");
    assert_eq!(list["reports"].as_array().unwrap().len(), 1);
    server.stop().await;
}

#[tokio::test]
async fn changes_are_unavailable_while_the_disk_is_full_and_reading_goes_on() {
    let world = TestWorld::at("2026-11-24T09:00:00Z");
    let server = TestServer::start(&world).await;
    let alice = browser();
    sign_in(&alice, &server, "alice", "").await;
    let check = || alice.post(server.url("/api/v1/sessions")).json(&json!({ "connection": "vpn main 1;vpn sub 1" }));
    world.ledger.refuse(true);
    let refused = check().send().await.unwrap();
    assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(refused.json::<Value>().await.unwrap()["code"], "unavailable");
    assert_eq!(get(&alice, server.url("/api/v1/connections")).await, StatusCode::OK);
    assert_eq!(get(&alice, server.url("/readyz")).await, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(get(&alice, server.url("/healthz")).await, StatusCode::OK);
    world.ledger.refuse(false);
    assert_eq!(check().send().await.unwrap().status(), StatusCode::CREATED);
    assert_eq!(get(&alice, server.url("/readyz")).await, StatusCode::OK);
    server.stop().await;
}

#[tokio::test]
async fn nothing_of_the_audit_is_given_that_cannot_be_recorded() {
    let world = TestWorld::at("2026-11-24T09:00:00Z");
    let server = TestServer::start(&world).await;
    let admin = browser();
    sign_in(&admin, &server, SERVICE_USER, SERVICE_PASSWORD).await;
    let calls = ["sessions", "sessions?format=csv", "sessions?format=ndjson", "audit/records", "audit/verify"];
    for (refuses, expected) in [(false, StatusCode::OK), (true, StatusCode::SERVICE_UNAVAILABLE)] {
        world.ledger.refuse(refuses);
        for call in calls {
            assert_eq!(get(&admin, server.url(&format!("/api/v1/{call}"))).await, expected, "{call}");
        }
    }
    server.stop().await;
}

#[tokio::test]
async fn the_api_is_what_its_description_says() {
    let world = TestWorld::at("2026-11-24T09:00:00Z");
    let server = TestServer::start(&world).await;
    let description: Value = reqwest::get(server.url("/api/openapi.json")).await.unwrap().json().await.unwrap();
    let calls = described_calls(&description);
    for (method, path) in &calls {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let url = server.url(&path.replace("{id}", "x").replace("{name}", "x"));
        let status = Client::new().request(method.clone(), url).send().await.unwrap().status();
        // From this machine the metrics are open.
        let open = ["/healthz", "/readyz", "/metrics"].contains(&path.as_str());
        let expected = if open { StatusCode::OK } else { StatusCode::UNAUTHORIZED };
        assert_eq!(status, expected, "{method} {path} without a sign-in");
    }
    server.stop().await;
}

#[tokio::test]
async fn the_reference_page_is_what_the_description_says() {
    let world = TestWorld::at("2026-11-24T09:00:00Z");
    let server = TestServer::start(&world).await;
    let description: Value = reqwest::get(server.url("/api/openapi.json")).await.unwrap().json().await.unwrap();
    let page = reference::page(&description);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/http-api.md");
    if env::var_os("UPDATE_DOCS").is_some_and(|value| value == "1") {
        fs::write(&path, &page).unwrap();
    }
    assert_eq!(fs::read_to_string(&path).unwrap_or_default(), page, "write it with `just reference`");
    server.stop().await;
}

fn described_calls(description: &Value) -> BTreeSet<(String, String)> {
    let paths = description["paths"].as_object().unwrap();
    let calls = paths.iter().flat_map(|(path, methods)| {
        methods.as_object().unwrap().keys().map(move |method| (method.to_uppercase(), path.clone()))
    });
    calls.collect()
}
