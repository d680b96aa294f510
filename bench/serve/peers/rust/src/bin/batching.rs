//! Handlers send their rows to a thread that runs all that wait as one batch.
use axum::{Json, Router, extract::State, http::StatusCode, routing::post};
use inlay_bench_rust::{Answer, Error, Request, WIDTH, arguments, open, run};
use ort::session::Session;
use tokio::sync::{mpsc, oneshot};

/// Rows of one batch at most.
const MOST_ROWS: usize = 256;

struct Job {
    rows: Vec<[f32; WIDTH]>,
    reply: oneshot::Sender<Option<Vec<f32>>>,
}

fn work(mut session: Session, mut jobs: mpsc::UnboundedReceiver<Job>) {
    let mut waiting = Vec::new();
    let mut rows = Vec::new();
    while let Some(first) = jobs.blocking_recv() {
        rows.extend_from_slice(&first.rows);
        waiting.push(first);
        while rows.len() < MOST_ROWS {
            let Ok(job) = jobs.try_recv() else { break };
            rows.extend_from_slice(&job.rows);
            waiting.push(job);
        }
        let values = run(&mut session, &rows).ok();
        let width = values.as_ref().map_or(0, |values| values.len() / rows.len().max(1));
        let mut at = 0;
        for job in waiting.drain(..) {
            let end = at + job.rows.len() * width;
            // A client that has gone needs no answer.
            let _ = job.reply.send(values.as_ref().map(|values| values[at..end].to_vec()));
            at = end;
        }
        rows.clear();
    }
}

async fn predict(
    State(jobs): State<mpsc::UnboundedSender<Job>>,
    Json(request): Json<Request>,
) -> Result<Json<Answer>, StatusCode> {
    let (reply, answer) = oneshot::channel();
    jobs.send(Job { rows: request.data, reply }).map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
    match answer.await {
        Ok(Some(prediction)) => Ok(Json(Answer { prediction })),
        _ => Err(StatusCode::INTERNAL_SERVER_ERROR),
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let arguments = arguments()?;
    let session = open(&arguments.model)?;
    let (jobs, waiting) = mpsc::unbounded_channel();
    std::thread::spawn(move || work(session, waiting));
    let app = Router::new().route("/predict", post(predict)).with_state(jobs);
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", arguments.port)).await?;
    axum::serve(listener, app).await?;
    Ok(())
}
