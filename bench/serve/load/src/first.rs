use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::http;
use crate::options::Options;

/// Between two tries: short beside a start of tens of milliseconds, and long enough that a server which already listens
/// is not kept from loading its model.
const PAUSE: Duration = Duration::from_micros(500);
const PATIENCE: Duration = Duration::from_secs(60);

/// The time from starting the program to the first answer with status 200; then it is killed.
pub fn run(options: &Options) -> Result<String, String> {
    let address = SocketAddr::from(([127, 0, 0, 1], options.number("port")?));
    let request = http::request(options)?;
    let (name, arguments) = options.program.split_first().ok_or("no program after --")?;
    let mut command = Command::new(name);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let started = Instant::now();
    let mut child = command.spawn().map_err(|error| format!("{name}: {error}"))?;
    let first = wait(&mut child, address, &request, started);
    let _ = child.kill();
    let _ = child.wait();
    Ok(format!(r#"{{"firstAnswerMs":{:.3}}}"#, first?.as_secs_f64() * 1000.0))
}

fn wait(child: &mut Child, address: SocketAddr, request: &[u8], started: Instant) -> Result<Duration, String> {
    while started.elapsed() < PATIENCE {
        if answers(address, request).unwrap_or(false) {
            return Ok(started.elapsed());
        }
        if let Ok(Some(status)) = child.try_wait() {
            return Err(format!("the program ended before it answered: {status}"));
        }
        std::thread::sleep(PAUSE);
    }
    Err(format!("no answer in {} s", PATIENCE.as_secs()))
}

fn answers(address: SocketAddr, request: &[u8]) -> Result<bool, Box<dyn std::error::Error>> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(request)?;
    let mut received = Vec::new();
    let mut buffer = [0u8; 4096];
    loop {
        let length = stream.read(&mut buffer)?;
        if length == 0 {
            return Ok(false);
        }
        received.extend_from_slice(&buffer[..length]);
        if let Some((status, whole)) = http::head(&received)? {
            if received.len() >= whole {
                return Ok(status == 200);
            }
        }
    }
}
