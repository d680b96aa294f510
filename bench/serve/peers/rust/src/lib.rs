//! What both servers share: the bodies, and the model.
use ort::session::Session;
use ort::value::TensorRef;
use serde::{Deserialize, Serialize};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

pub type Error = Box<dyn std::error::Error>;

/// The iris model's number of columns.
pub const WIDTH: usize = 4;
pub const OUTPUT: &str = "output_probability";

#[derive(Deserialize)]
pub struct Request {
    pub data: Vec<[f32; WIDTH]>,
}

#[derive(Serialize)]
pub struct Answer {
    pub prediction: Vec<f32>,
}

/// One thread a run: the server has one core.
pub fn open(model: &str) -> Result<Session, Error> {
    let environment = ort::init().with_telemetry(false).build()?;
    Ok(Session::builder(&environment)?
        .with_intra_threads(1)?
        .with_inter_threads(1)?
        .commit_from_file(model)?)
}

/// Probabilities of `rows`, row by row.
pub fn run(session: &mut Session, rows: &[[f32; WIDTH]]) -> Result<Vec<f32>, Error> {
    let input = TensorRef::from_array_view(([rows.len(), WIDTH], rows.as_flattened()))?;
    let outputs = session.run(ort::inputs!["float_input" => input])?;
    let (_, values) = outputs[OUTPUT].try_extract_tensor::<f32>()?;
    Ok(values.to_vec())
}

pub struct Arguments {
    pub port: u16,
    pub model: String,
}

pub fn arguments() -> Result<Arguments, Error> {
    let port = std::env::var("PORT")?.parse()?;
    Ok(Arguments { port, model: std::env::var("MODEL_FILEPATH")? })
}
