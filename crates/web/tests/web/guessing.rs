//! Guessing, by a clock that is set: who waits how long, over HTTP.

use jiff::SignedDuration;
use reqwest::{Client, Response, StatusCode};
use testkit::{SERVICE_PASSWORD, SERVICE_USER, TestServer, TestWorld};

async fn tries(server: &TestServer, user: &str, password: &str) -> Response {
    let request = Client::new().post(server.url("/api/loginUser"));
    request.basic_auth(user, Some(password)).send().await.unwrap()
}

fn waits(answer: &Response) -> Option<u64> {
    let limited = answer.status() == StatusCode::TOO_MANY_REQUESTS;
    limited.then(|| answer.headers()["retry-after"].to_str().unwrap().parse().unwrap())
}

#[tokio::test]
async fn after_five_failures_the_wait_doubles_to_the_second() {
    let world = TestWorld::at("2026-11-24T09:00:00Z");
    let server = TestServer::start(&world).await;
    for _ in 0..5 {
        assert_eq!(tries(&server, SERVICE_USER, "wrong").await.status(), StatusCode::UNAUTHORIZED);
    }
    for wait in [1, 2, 4, 8, 16, 32] {
        assert_eq!(waits(&tries(&server, SERVICE_USER, "wrong").await), Some(wait));
        assert_eq!(waits(&tries(&server, SERVICE_USER, SERVICE_PASSWORD).await), Some(wait), "right or wrong");
        world.clock.pass(SignedDuration::from_secs(i64::try_from(wait).unwrap()));
        assert_eq!(tries(&server, SERVICE_USER, "wrong").await.status(), StatusCode::UNAUTHORIZED);
    }
    world.clock.pass(SignedDuration::from_secs(64));
    assert_eq!(tries(&server, SERVICE_USER, SERVICE_PASSWORD).await.status(), StatusCode::OK);
    for _ in 0..5 {
        assert_eq!(tries(&server, SERVICE_USER, "wrong").await.status(), StatusCode::UNAUTHORIZED, "it begins anew");
    }
    server.stop().await;
}

#[tokio::test]
async fn nobody_else_waits_and_an_address_only_while_it_fails() {
    let world = TestWorld::at("2026-11-24T09:00:00Z");
    let server = TestServer::start(&world).await;
    for number in 0..20 {
        tries(&server, &format!("made up {number}"), "wrong").await;
    }
    assert!(waits(&tries(&server, "made up 0", "wrong").await).is_some());
    assert_eq!(tries(&server, SERVICE_USER, SERVICE_PASSWORD).await.status(), StatusCode::OK, "a first try");
    world.clock.pass(SignedDuration::from_mins(2));
    assert_eq!(tries(&server, "made up 0", "wrong").await.status(), StatusCode::UNAUTHORIZED);
    server.stop().await;
}
