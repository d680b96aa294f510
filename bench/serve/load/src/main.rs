//! What wrk cannot do: a constant rate whose latencies count from when a request was due, and the time from a
//! program's start to its first answer. Prints one line of JSON.
mod first;
mod http;
mod options;
mod paced;

use options::Options;

fn main() {
    let mut words = std::env::args().skip(1);
    let mode = words.next().unwrap_or_default();
    let done = Options::parse(words).and_then(|options| match mode.as_str() {
        "paced" => paced::run(&options),
        "first" => first::run(&options),
        _ => Err(format!("unknown mode {mode:?}: paced or first")),
    });
    match done {
        Ok(json) => println!("{json}"),
        Err(message) => {
            eprintln!("{message}");
            std::process::exit(1);
        }
    }
}
