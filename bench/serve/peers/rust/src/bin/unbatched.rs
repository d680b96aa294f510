//! One run a request, in the handler: a run takes some microseconds, less than handing it to another thread.
use std::sync::{Arc, Mutex};

use axum::{Json, Router, extract::State, http::StatusCode, routing::post};
use inlay_bench_rust::{Answer, Error, Request, arguments, open, run};
use ort::session::Session;

async fn predict(
    State(session): State<Arc<Mutex<Session>>>,
    Json(request): Json<Request>,
) -> Result<Json<Answer>, StatusCode> {
    let mut session = session.lock().map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    let prediction = run(&mut session, &request.data).map_err(|_| StatusCode::BAD_REQUEST)?;
    Ok(Json(Answer { prediction }))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let arguments = arguments()?;
    let session = Arc::new(Mutex::new(open(&arguments.model)?));
    let app = Router::new().route("/predict", post(predict)).with_state(session);
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", arguments.port)).await?;
    axum::serve(listener, app).await?;
    Ok(())
}
