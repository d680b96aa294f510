/// `--name value` words, and after `--` the program to start.
#[derive(Default)]
pub struct Options {
    named: Vec<(String, String)>,
    pub program: Vec<String>,
}

impl Options {
    pub fn parse(mut words: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut options = Self::default();
        while let Some(word) = words.next() {
            if word == "--" {
                options.program = words.collect();
                break;
            }
            let name = word.strip_prefix("--").ok_or(format!("unexpected {word}"))?;
            let value = words.next().ok_or(format!("--{name} has no value"))?;
            options.named.push((name.to_owned(), value));
        }
        Ok(options)
    }

    pub fn text(&self, name: &str) -> Result<&str, String> {
        self.named
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
            .ok_or(format!("--{name} is missing"))
    }

    pub fn number<T: std::str::FromStr>(&self, name: &str) -> Result<T, String> {
        let text = self.text(name)?;
        text.parse().map_err(|_| format!("--{name} {text}: not a number"))
    }
}
