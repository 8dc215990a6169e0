//! How long is waited. The peer speaks HTTP by hand: it must stop in the middle of an answer.

use std::future::Future;

use chrono::{DateTime, Utc};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use super::*;

struct Still;

impl Clock for Still {
    fn now(&self) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH
    }
}

const HEADERS: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 12\r\n\r\n";
const LONG: Duration = Duration::from_secs(60);
const SHORT: Duration = Duration::from_millis(50);

/// Asks a peer that answers as `answers` does.
async fn asked<F, A>(patience: Patience, answers: F) -> Result<Answer, ForgeError>
where
    F: Fn(TcpStream) -> A + Send + 'static,
    A: Future<Output = TcpStream> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    let peer = tokio::spawn(async move {
        let mut open = Vec::new();
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 4096];
            assert!(stream.read(&mut request).await.unwrap() > 0);
            open.push(tokio::spawn(answers(stream)));
        }
    });
    let http = Client::builder().no_proxy().tls_certs_only([]).build().unwrap();
    let api = Api { patience, ..Api::new(&url, http, Arc::new(Still), Duration::ZERO) };
    let call = Call::bytes("/x", api.url("/x").unwrap(), 100, "");
    let answer = api.send(&call, &"glpat-x".into()).await;
    peer.abort();
    answer
}

#[tokio::test]
async fn an_answer_that_does_not_begin_or_stops_or_never_ends_is_given_up_on() {
    let long = Patience { answer: LONG, piece: LONG, body: LONG };
    let silent = asked(Patience { answer: SHORT, ..long }, |stream| async { stream }).await;
    let stopped = |mut stream: TcpStream| async {
        stream.write_all(HEADERS).await.unwrap();
        stream.write_all(b"half").await.unwrap();
        stream
    };
    let stalled = asked(Patience { piece: SHORT, ..long }, stopped).await;
    let endless = asked(Patience { body: SHORT, ..long }, stopped).await;
    for answer in [silent, stalled, endless] {
        assert_eq!(answer.err().unwrap().to_string(), "unavailable: timed out");
    }
}

#[tokio::test]
async fn an_answer_that_comes_slowly_but_steadily_has_its_time() {
    let second = Duration::from_secs(1);
    let slowly = move |mut stream: TcpStream| async move {
        stream.write_all(HEADERS).await.unwrap();
        let mut beat = tokio::time::interval(second / 8);
        for _ in 0..12 {
            beat.tick().await;
            stream.write_all(b"x").await.unwrap();
        }
        stream
    };
    let answer = asked(Patience { answer: second, piece: second, body: LONG }, slowly).await;
    assert_eq!(answer.ok().unwrap().body, b"xxxxxxxxxxxx");
}
