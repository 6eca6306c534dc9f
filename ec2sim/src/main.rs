//! `ec2sim`: the simulator as a server of its own.

use std::io::{Read, Write};
use std::process::ExitCode;
use std::sync::Arc;

use ec2sim::server::{Options, Shared, Weather, listen, serve};
use ec2sim::world_of_today;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

const HELP: &str = "\
ec2sim: an Amazon EC2 for tests, as far as VPC peering reaches

Usage: ec2sim [OPTIONS]

  --port PORT     where to listen; 0, the default, is any free port
  --host HOST     on which address [127.0.0.1]
  --seed NUMBER   transitions take time, reads lag and pages come short, by this seed; without it nothing takes time
  --speed FACTOR  virtual milliseconds per real one [1]; 0: time stands still until it is moved
  --throttle      refuse calls that come faster than AWS allows
  --leash         end when standard input closes
  --help          show this
  --version       show the version

Once it listens it prints one line of JSON: {\"event\":\"ready\",\"endpoint\":\"http://...\",\"pid\":...}.
Point clients at the endpoint (AWS_ENDPOINT_URL). An access key id of 12 digits is that account, any other belongs
to account 123456789012. It ends on SIGTERM and SIGINT. What tests can do to it: see the README.
";

struct Arguments {
    options: Options,
    throttle: bool,
    leash: bool,
}

enum Wish {
    Serve(Box<Arguments>),
    Say(&'static str),
}

fn parse(mut words: impl Iterator<Item = String>) -> Result<Wish, String> {
    let mut arguments = Arguments { options: Options::default(), throttle: false, leash: false };
    while let Some(word) = words.next() {
        let (name, mut given) = match word.split_once('=') {
            Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
            None => (word, None),
        };
        let mut value = || given.take().or_else(|| words.next()).ok_or(format!("{name} needs a value"));
        match name.as_str() {
            "--port" => arguments.options.port = number(&name, &value()?)?,
            "--host" => arguments.options.host = value()?,
            "--seed" => arguments.options.weather = Weather::changing(number(&name, &value()?)?),
            "--speed" => {
                let speed: f64 = number(&name, &value()?)?;
                if !speed.is_finite() || speed < 0.0 {
                    return Err(format!("--speed is a number from 0 on, not {speed}"));
                }
                arguments.options.speed = speed;
            }
            "--throttle" => arguments.throttle = true,
            "--leash" => arguments.leash = true,
            "--help" | "-h" => return Ok(Wish::Say(HELP)),
            "--version" => return Ok(Wish::Say(concat!("ec2sim ", env!("CARGO_PKG_VERSION"), "\n"))),
            other => return Err(format!("{other} is not known: see --help")),
        }
        if given.is_some() {
            return Err(format!("{name} takes no value"));
        }
    }
    Ok(Wish::Serve(Box::new(arguments)))
}

fn number<N: std::str::FromStr>(name: &str, text: &str) -> Result<N, String> {
    text.parse().map_err(|_| format!("{name}: {text} is not a number that fits"))
}

fn main() -> ExitCode {
    let done = match parse(std::env::args().skip(1)) {
        Ok(Wish::Say(text)) => {
            print!("{text}");
            Ok(())
        }
        Ok(Wish::Serve(arguments)) => run(*arguments).map_err(|error| error.to_string()),
        Err(wrong) => Err(wrong),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("ec2sim: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> std::io::Result<()> {
    let Arguments { options, throttle, leash } = arguments;
    let listener = listen(&options)?;
    let endpoint = format!("http://{}", listener.local_addr()?);
    let mut world = world_of_today();
    if throttle {
        world.set_throttling(Some(ec2sim::Throttling::aws()));
    }
    let shared = Arc::new(Shared::new(world, &options));
    let (stop, stopped) = watch::channel(false);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        // Before the ready line: whoever reads it may already send a signal.
        let (mut term, mut int) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        // Without a leash it is kept to the end, or the server would take its loss for the sign to stop.
        let kept = if leash {
            // A thread, as reading standard input would block the runtime. It ends with the process.
            std::thread::spawn(move || {
                let mut stdin = std::io::stdin().lock();
                let mut heard = [0; 1024];
                while stdin.read(&mut heard).is_ok_and(|bytes| bytes > 0) {}
                let _ = stop.send(true);
            });
            None
        } else {
            Some(stop)
        };
        let pid = std::process::id();
        println!("{{\"event\":\"ready\",\"endpoint\":\"{endpoint}\",\"pid\":{pid}}}");
        std::io::stdout().flush()?;
        tokio::select! {
            () = serve(listener, shared, stopped) => {}
            _ = term.recv() => {}
            _ = int.recv() => {}
        }
        drop(kept);
        Ok(())
    })
}
