fn main() -> std::process::ExitCode {
    isobar_process::main()
}
