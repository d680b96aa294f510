use crate::options::Options;

/// The request that is sent again and again: a POST of the body file, or a GET where there is none.
pub fn request(options: &Options) -> Result<Vec<u8>, String> {
    let path = options.text("path")?;
    let Ok(file) = options.text("body") else {
        return Ok(format!("GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n").into_bytes());
    };
    let body = std::fs::read(file).map_err(|error| format!("{file}: {error}"))?;
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    Ok([head.into_bytes(), body].concat())
}

/// The status and the whole length of the answer that `bytes` start with, once its head is there.
/// Answers must have a content-length.
pub fn head(bytes: &[u8]) -> Result<Option<(u16, usize)>, String> {
    let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
        return Ok(None);
    };
    let text = std::str::from_utf8(&bytes[..end]).map_err(|_| "the answer's head is not text")?;
    let status = text.get(9..12).and_then(|code| code.parse().ok()).ok_or("the answer has no status")?;
    let length: usize = text
        .split("\r\n")
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .and_then(|(_, value)| value.trim().parse().ok())
        .ok_or("the answer has no content-length")?;
    Ok(Some((status, end + 4 + length)))
}
