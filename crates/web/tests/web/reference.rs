//! The reference page of the HTTP API, made from its description.

use serde_json::Value;

const INTRODUCTION: &str = "\
# HTTP API

This page is made from `/api/openapi.json`, which describes every body too; `just reference` writes it.

A program signs in by `POST /api/loginUser` with HTTP Basic, and sends the token that it gets as `x-access-tokens: TOKEN`
or as `Authorization: Bearer TOKEN`. Errors are `application/problem+json` (RFC 9457) with a stable [code](codes.md).
Times are RFC 3339 in UTC.
";

/// The whole page: a table for each thing that the API is about.
pub fn page(description: &Value) -> String {
    let mut page = INTRODUCTION.to_owned();
    for (tag, title) in [
        ("programs", "Programs sign in"),
        ("board", "The board"),
        ("audit", "The audit"),
        ("relay", "The relay"),
        ("accounts", "Accounts"),
        ("health", "Health"),
    ] {
        page += &format!("\n## {title}\n\n| call | does | answers |\n| --- | --- | --- |\n");
        let calls = calls(description);
        let rows = calls.iter().filter(|(_, _, call)| call["tags"][0] == *tag).map(|(method, path, call)| {
            let [summary, parameters, answers] = [summary(call), parameters(call), answers(call)];
            format!("| `{} {path}{parameters}` | {summary} | {answers} |\n", method.to_uppercase())
        });
        page.extend(rows);
    }
    page
}

fn calls(description: &Value) -> Vec<(&str, &str, &Value)> {
    let paths = description["paths"].as_object().expect("the description has paths");
    let each = paths.iter().flat_map(|(path, methods)| {
        methods.as_object().into_iter().flatten().map(|(method, call)| (method.as_str(), path.as_str(), call))
    });
    each.collect()
}

fn summary(call: &Value) -> String {
    call["summary"].as_str().expect("each call says what it does").trim_end_matches('.').to_owned()
}

fn parameters(call: &Value) -> String {
    let named = call["parameters"].as_array().into_iter().flatten().filter(|parameter| parameter["in"] == "query");
    let names: Vec<&str> = named.filter_map(|parameter| parameter["name"].as_str()).collect();
    if names.is_empty() { String::new() } else { format!("?{}", names.join("&")) }
}

fn answers(call: &Value) -> String {
    let responses = call["responses"].as_object().expect("each call has answers");
    let each = responses.iter().map(|(status, response)| match response["description"].as_str() {
        None | Some("") => status.clone(),
        Some(meaning) => format!("{status} ({meaning})"),
    });
    each.collect::<Vec<_>>().join(", ")
}
