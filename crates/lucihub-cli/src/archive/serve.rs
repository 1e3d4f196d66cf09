//! `/metrics` and `/healthz` of a keeper that goes on.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use lucihub_store::{Store, observe};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use crate::failure::Failure;
use crate::output;

/// The bounds of what is counted in seconds: from a quick batch to a long archive.
const SECONDS: &[f64] = &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0];
/// How long somebody who connects may take to say what is wanted.
const REQUEST: Duration = Duration::from_secs(10);
/// So many may ask at once; the others wait.
const MOST: usize = 32;
/// How often what was measured is put together, though nobody asks.
const UPKEEP: Duration = Duration::from_secs(5);

/// An address to listen on: a port of this machine alone, or an address with its port.
pub(crate) fn address(text: &str) -> Result<SocketAddr, &'static str> {
    let here = |port| SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port);
    text.parse().map(here).or_else(|_| text.parse()).map_err(|_| "use a port, or an address like 0.0.0.0:9464")
}

/// What is told to whoever asks.
#[derive(Clone)]
pub(super) struct Told {
    metrics: PrometheusHandle,
    store: Arc<OnceLock<Store>>,
}

impl Told {
    /// From now on health is that of this store.
    pub(super) fn opened(&self, store: &Store) {
        // It is opened once.
        let _ = self.store.set(store.clone());
    }

    async fn health(&self) -> (StatusCode, Value) {
        let Some(store) = self.store.get() else {
            let waits =
                json!({ "ready": false, "why_not": ["the storages are not open yet"], "hot": null, "cold": null });
            return (StatusCode::SERVICE_UNAVAILABLE, waits);
        };
        let health = store.health().await;
        let status = if health.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
        (status, json!(health))
    }

    async fn answer(self, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
        let known = matches!(*request.method(), Method::GET | Method::HEAD);
        let (status, kind, text) = match request.uri().path() {
            "/metrics" if known => (StatusCode::OK, "text/plain; version=0.0.4; charset=utf-8", self.metrics.render()),
            "/healthz" | "/readyz" if known => {
                let (status, health) = self.health().await;
                (status, "application/json", format!("{health}\n"))
            }
            _ => (StatusCode::NOT_FOUND, "text/plain", "GET /metrics, /healthz or /readyz\n".to_owned()),
        };
        let answer = Response::builder().status(status).header(CONTENT_TYPE, kind).header(CACHE_CONTROL, "no-store");
        let body = Full::new(Bytes::from(text));
        // Of constants alone, so it is always one.
        Ok(answer.body(body).unwrap_or_default())
    }
}

/// Takes an address and answers on it until the process ends.
pub(super) async fn listen(at: SocketAddr) -> Result<Told, Failure> {
    let listener = TcpListener::bind(at).await.map_err(|why| Failure::Listen { at, why })?;
    let at = listener.local_addr().map_err(|why| Failure::Listen { at, why })?;
    let builder = PrometheusBuilder::new().set_buckets(SECONDS).map_err(|why| Failure::Broken(why.to_string()))?;
    let metrics = builder.install_recorder().map_err(|why| Failure::Broken(why.to_string()))?;
    observe::describe();
    let told = Told { metrics, store: Arc::default() };
    tokio::spawn(upkeep(told.metrics.clone()));
    tokio::spawn(serve(listener, told.clone()));
    output::say(format!("metrics and health on http://{at}/metrics and http://{at}/healthz"));
    Ok(told)
}

async fn upkeep(metrics: PrometheusHandle) {
    loop {
        tokio::time::sleep(UPKEEP).await;
        metrics.run_upkeep();
    }
}

async fn serve(listener: TcpListener, told: Told) {
    let room = Arc::new(Semaphore::new(MOST));
    loop {
        let Ok(place) = room.clone().acquire_owned().await else { return };
        let Ok((stream, _)) = listener.accept().await else {
            // Out of descriptors, for example: it passes.
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let told = told.clone();
        tokio::spawn(async move {
            let answer = service_fn(move |request| told.clone().answer(request));
            let mut http = http1::Builder::new();
            http.timer(TokioTimer::new()).header_read_timeout(REQUEST).keep_alive(false);
            // Whoever hangs up early is nobody's concern.
            let served = http.serve_connection(TokioIo::new(stream), answer);
            let _ = tokio::time::timeout(2 * REQUEST, served).await;
            drop(place);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::address;

    #[test]
    fn a_port_alone_is_this_machines() {
        for (text, at) in [("9464", "127.0.0.1:9464"), ("0.0.0.0:0", "0.0.0.0:0"), ("[::1]:80", "[::1]:80")] {
            assert_eq!(address(text).unwrap().to_string(), at);
        }
        for text in ["", "70000", "localhost", ":9464", "127.0.0.1"] {
            assert!(address(text).is_err(), "{text}");
        }
    }
}
