# What CI runs.
check:
    ./test

# Serve the sample configuration at http://127.0.0.1:5000.
run:
    cargo run --release

# Rust's tests alone.
unit:
    cargo nextest run --workspace

# Take pictures of every page into e2e/pictures.
pictures:
    npm run pictures --prefix e2e

# Time from a check to the last of 1,000 pages having it.
bench:
    cargo run --release -p bench

# Write the reference docs that are made from the code.
reference:
    UPDATE_DOCS=1 cargo nextest run --workspace reference
