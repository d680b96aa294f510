use std::collections::VecDeque;
use std::io::{ErrorKind, Read, Write};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

use crate::http;
use crate::options::Options;

struct Connection {
    stream: TcpStream,
    /// When the request under way was due.
    due: Option<Instant>,
    received: Vec<u8>,
    /// The whole answer's length, once its head is there.
    expected: Option<usize>,
}

/// Sends at a constant rate over kept connections, whether or not answers come (open loop). A latency counts from the
/// time when its request was due, so a stall counts for every request that it held up (no coordinated omission).
/// It never sleeps: it needs a core of its own.
pub fn run(options: &Options) -> Result<String, String> {
    let port: u16 = options.number("port")?;
    let rate: f64 = options.number("rate")?;
    let seconds: f64 = options.number("seconds")?;
    let warmup: f64 = options.number("warmup")?;
    let request = http::request(options)?;
    let text = |error: std::io::Error| error.to_string();

    let mut poll = Poll::new().map_err(text)?;
    let mut connections = Vec::new();
    for index in 0..options.number::<usize>("connections")? {
        let stream = std::net::TcpStream::connect(("127.0.0.1", port)).map_err(text)?;
        stream.set_nodelay(true).map_err(text)?;
        stream.set_nonblocking(true).map_err(text)?;
        let mut stream = TcpStream::from_std(stream);
        poll.registry().register(&mut stream, Token(index), Interest::READABLE).map_err(text)?;
        connections.push(Connection { stream, due: None, received: Vec::with_capacity(4096), expected: None });
    }

    let mut idle: VecDeque<usize> = (0..connections.len()).collect();
    let mut events = Events::with_capacity(connections.len());
    let mut latency = Histogram::<u64>::new_with_bounds(1, 60_000_000_000, 3).map_err(|error| error.to_string())?;
    // How late a request went out although a connection was free: the generator's own error.
    let mut lateness = latency.clone();
    let (mut sent, mut failed) = (0u64, 0u64);
    let started = Instant::now();
    let interval = Duration::from_secs_f64(1.0 / rate);
    let counting_from = started + Duration::from_secs_f64(warmup);
    let end = counting_from + Duration::from_secs_f64(seconds);
    let give_up = end + Duration::from_secs(10);
    let mut next = started;
    // When a connection became free after none was: until then a delay is the server's.
    let mut free_at = started;

    loop {
        let mut now = Instant::now();
        while next <= now && next < end {
            let Some(index) = idle.pop_front() else { break };
            let connection = &mut connections[index];
            let written = connection.stream.write(&request).map_err(text)?;
            if written != request.len() {
                return Err("the request does not fit into the socket's buffer".to_owned());
            }
            connection.due = Some(next);
            if next >= counting_from {
                sent += 1;
                lateness.saturating_record(now.saturating_duration_since(next.max(free_at)).as_nanos() as u64);
            }
            next += interval;
            now = Instant::now();
        }
        if next >= end && idle.len() == connections.len() {
            break;
        }
        if now > give_up {
            return Err("answers are missing 10 s after the end".to_owned());
        }
        poll.poll(&mut events, Some(Duration::ZERO)).map_err(text)?;
        for event in &events {
            let index = event.token().0;
            let connection = &mut connections[index];
            read_all(connection)?;
            if connection.expected.is_none() {
                connection.expected = match http::head(&connection.received)? {
                    Some((status, length)) => {
                        failed += u64::from(!(200..300).contains(&status));
                        Some(length)
                    }
                    None => None,
                };
            }
            if connection.expected.is_some_and(|length| connection.received.len() >= length) {
                let due = connection.due.take().ok_or("an answer without a request")?;
                if due >= counting_from {
                    latency.saturating_record(due.elapsed().as_nanos() as u64);
                }
                connection.received.clear();
                connection.expected = None;
                if idle.is_empty() {
                    free_at = Instant::now();
                }
                idle.push_back(index);
            }
        }
    }
    let us = |histogram: &Histogram<u64>, quantile: f64| histogram.value_at_quantile(quantile) as f64 / 1000.0;
    Ok(format!(
        r#"{{"sent":{sent},"failed":{failed},"meanUs":{:.1},"p50Us":{:.1},"p90Us":{:.1},"p99Us":{:.1},"p999Us":{:.1},"maxUs":{:.1},"generatorP99Us":{:.1}}}"#,
        latency.mean() / 1000.0,
        us(&latency, 0.5),
        us(&latency, 0.9),
        us(&latency, 0.99),
        us(&latency, 0.999),
        latency.max() as f64 / 1000.0,
        us(&lateness, 0.99),
    ))
}

/// Readiness is edge-triggered: everything must be read.
fn read_all(connection: &mut Connection) -> Result<(), String> {
    let mut buffer = [0u8; 16384];
    loop {
        match connection.stream.read(&mut buffer) {
            Ok(0) => return Err("the server closed a connection".to_owned()),
            Ok(length) => connection.received.extend_from_slice(&buffer[..length]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error.to_string()),
        }
    }
}
