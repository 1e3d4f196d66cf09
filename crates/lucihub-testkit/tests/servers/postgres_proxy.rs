//! The proxy before PostgreSQL: answers that are lost.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

use lucihub_testkit::servers::{Direction, Proxy};

use crate::servers::postgres::{ask, shared};

#[test]
fn a_lost_answer_to_a_commit_is_a_commit() {
    let server = shared();
    let database = server.fresh_database(None);
    server.sql(&database, "CREATE TABLE t (n int)");
    let proxy = Proxy::start(server.port(), 7);
    let url = proxy.through(&server.admin_url(&database)) + "?sslmode=disable";
    let rows = || server.sql(&database, "SELECT n FROM t ORDER BY n");
    let insert = |n: u32| {
        let script = format!("BEGIN;\nINSERT INTO t VALUES ({n});\nCOMMIT;\n");
        ask_by_input(&url, &script)
    };

    insert(1).expect("nothing is cut");
    proxy.cut_after_request(b"COMMIT");
    proxy.cut_after_request(b"COMMIT");
    for n in [2, 3] {
        let why = insert(n).expect_err("its answer is lost");
        assert!(why.contains("server closed the connection"), "{why}");
        assert!(rows().ends_with(&n.to_string()), "{}", rows());
    }
    assert_eq!((proxy.cuts(), proxy.pending_requests()), (2, 0));
    insert(4).expect("each pattern counts once");
    assert_eq!(rows(), "1\n2\n3\n4");

    proxy.cut_after_request(b"INSERT INTO t");
    insert(5).expect_err("its answer is lost");
    assert_eq!(rows(), "1\n2\n3\n4", "nobody committed");
    proxy.cut_after_request(b"COMMIT");
    proxy.calm();
    insert(6).expect("a calm proxy");
    assert_eq!(ask(&url, "SELECT count(*) FROM t").as_deref(), Ok("5"));
    let log = proxy.cut_log();
    assert_eq!(log.len(), 3);
    assert!(log.iter().all(|cut| cut.direction == Direction::ToServer && !cut.reset && cut.after > 0), "{log:?}");
}

/// `psql` that sends a statement when it has the answer to the one before.
fn ask_by_input(url: &str, sql: &str) -> Result<String, String> {
    let mut command = crate::servers::postgres::psql(url);
    let pipe = std::process::Stdio::piped;
    let mut child = command.stdin(pipe()).stdout(pipe()).stderr(pipe()).spawn().expect("psql is installed");
    drop(child.stdin.take().expect("it is piped").write_all(sql.as_bytes()));
    let output = child.wait_with_output().expect("a child of this process");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim_end().to_owned();
    if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
}

#[test]
fn the_server_gets_all_that_was_sent_and_the_client_nothing_of_the_answer() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let proxy = Proxy::start(listener.local_addr().expect("it is bound").port(), 7);
    let mut client = TcpStream::connect(("127.0.0.1", proxy.port())).expect("the proxy listens");
    let (mut server, _) = listener.accept().expect("the proxy connects");
    let mut buffer = [0; 64];
    let mut passes = |from: &mut TcpStream, to: &mut TcpStream, text: &[u8]| {
        from.write_all(text).expect("an open connection");
        let got = &mut buffer[..text.len()];
        to.read_exact(got).expect("it arrives");
        assert_eq!(got, text);
    };
    proxy.cut_after_request(b"request");
    passes(&mut client, &mut server, b"a first re");
    passes(&mut server, &mut client, b"an answer to that");
    // In pieces that arrive one by one, with bytes behind it.
    for piece in [b"que".as_slice(), b"st", b" and more"] {
        assert_eq!(proxy.cuts(), 0);
        passes(&mut client, &mut server, piece);
    }
    assert_eq!(proxy.pending_requests(), 0);
    // More than the sockets on the way hold.
    let answer = std::thread::spawn(move || {
        server.write_all(&vec![7; 32 << 20]).expect("the proxy takes all");
        server.read(&mut [0]).expect("the end of the stream")
    });
    let mut rest = Vec::new();
    client.read_to_end(&mut rest).expect("the end of the stream");
    assert_eq!(rest, b"");
    assert_eq!(answer.join().expect("it only ends"), 0);
    let [cut] = proxy.cut_log()[..] else { panic!("one cut") };
    assert_eq!((cut.connection, cut.direction, cut.after), (0, Direction::ToServer, 15));
}

#[test]
fn a_url_goes_through() {
    let proxy = Proxy::start(5432, 7);
    let port = proxy.port();
    assert_eq!(
        proxy.through("postgres://u:5432@h:5432/5432?a=:5432"),
        format!("postgres://u:5432@h:{port}/5432?a=:5432")
    );
    assert_eq!(proxy.through("redis://127.0.0.1:5432"), format!("redis://127.0.0.1:{port}"));
}
