//! A v3/sauc recognition service on 127.0.0.1; `--help` says what it can do.

fn main() -> std::process::ExitCode {
    volcasr_loopback::cli::main()
}
