//! What the host has and a function must not get: random, so that whoever shows it must have got it.

use super::{MOST_MEMORY_MIB, MOST_OUTPUT_MIB};
use crate::contract::Failure;
use crate::measure::attempt::AttemptKind;
use std::fs;
use std::io::{self, Read};
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::time::Duration;

/// The variable of the host's that a function looks for.
pub(super) const CANARY: &str = "ISOBAR_CANARY";

/// How long what was sent may take over the loopback.
const ARRIVAL: Duration = Duration::from_secs(2);

/// What one attempt is made against. Dropping it removes what was made.
pub(super) struct Stage {
    kind: &'static str,
    /// 32 hexadecimal digits: the content of what is secret, or what is to be brought out.
    pub(super) secret: String,
    folder: Option<Folder>,
    listener: Option<(TcpListener, SocketAddr)>,
}

/// A folder that is removed with all that is in it.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        // It lies where temporary files lie: what is left there is removed some day.
        let _ = fs::remove_dir_all(&self.0);
    }
}

impl Stage {
    /// Makes what an attempt needs.
    ///
    /// # Errors
    /// The system refuses.
    pub(super) fn set(kind: &AttemptKind) -> Result<Stage, Failure> {
        let host = |e: io::Error| Failure::host(format!("cannot prepare the attempt `{}`: {e}", kind.name));
        let secret = random().map_err(host)?;
        let mut stage = Stage { kind: kind.name, secret, folder: None, listener: None };
        match kind.name {
            "file" | "folder" | "write" => stage.folder = Some(stage.make_folder().map_err(host)?),
            "connect" => {
                let listener = TcpListener::bind("127.0.0.1:0").map_err(host)?;
                listener.set_nonblocking(true).map_err(host)?;
                let address = listener.local_addr().map_err(host)?;
                stage.listener = Some((listener, address));
            }
            _ => {}
        }
        Ok(stage)
    }

    /// The folder, which anybody may read, and in which anybody may write: that is not what is tried.
    fn make_folder(&self) -> io::Result<Folder> {
        let folder = Folder(std::env::temp_dir().join(format!("isobar-isolation-{}", random()?)));
        fs::create_dir(&folder.0)?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            fs::set_permissions(&folder.0, fs::Permissions::from_mode(0o777))?;
        }
        match self.kind {
            "file" => fs::write(folder.0.join("canary"), &self.secret)?,
            "folder" => fs::write(folder.0.join(&self.secret), "")?,
            _ => {}
        }
        Ok(folder)
    }

    /// What the function is told: where to look, not what is there.
    pub(super) fn variables(&self) -> Vec<(&'static str, String)> {
        let folder = || self.folder.as_ref().map(|folder| folder.0.display().to_string()).unwrap_or_default();
        match self.kind {
            "file" => vec![("FILE", format!("{}/canary", folder()))],
            "folder" => vec![("FOLDER", folder())],
            "write" => vec![("FOLDER", folder()), ("TOKEN", self.secret.clone())],
            "connect" => {
                let address = self.listener.as_ref().map(|(_, address)| address.to_string()).unwrap_or_default();
                vec![("ADDRESS", address), ("TOKEN", self.secret.clone())]
            }
            "memory" => vec![("MOST_MIB", MOST_MEMORY_MIB.to_string())],
            "output" => vec![("MOST_MIB", MOST_OUTPUT_MIB.to_string())],
            _ => Vec::new(),
        }
    }

    /// Whether something of the host's shows that the attempt succeeded, whatever the function says. `None` where only the
    /// function can tell.
    pub(super) fn proof(&self, said: &str) -> Option<bool> {
        match self.kind {
            "environment" | "file" | "folder" | "previous" | "neighbour" => Some(said.contains(&self.secret)),
            "passwd" => {
                let bytes = fs::metadata("/etc/passwd").ok()?.len();
                Some(said.contains(&format!("read {bytes} bytes")))
            }
            "write" => {
                let written = self.folder.as_ref().map(|folder| fs::read(folder.0.join("written")));
                Some(written.is_some_and(|read| read.is_ok_and(|bytes| bytes == self.secret.as_bytes())))
            }
            "connect" => Some(self.arrived()),
            _ => None,
        }
    }

    /// Whether somebody connected and sent the token. A connection waits here, whenever it was made.
    fn arrived(&self) -> bool {
        let Some((listener, _)) = &self.listener else { return false };
        while let Ok((mut stream, _)) = listener.accept() {
            let mut sent = Vec::new();
            let listen = stream.set_nonblocking(false).and_then(|()| stream.set_read_timeout(Some(ARRIVAL)));
            let mut chunk = [0; 1024];
            while listen.is_ok() && !contains(&sent, self.secret.as_bytes()) {
                match stream.read(&mut chunk) {
                    Ok(length) if length > 0 && sent.len() < 1 << 16 => sent.extend_from_slice(&chunk[..length]),
                    _ => break,
                }
            }
            if contains(&sent, self.secret.as_bytes()) {
                return true;
            }
        }
        false
    }
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

/// 128 bits that nobody guesses, in hexadecimal.
fn random() -> io::Result<String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|e| io::Error::other(e.to_string()))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::attempt::ATTEMPTS;
    use std::io::Write;
    use std::net::TcpStream;

    fn stage(name: &str) -> Stage {
        Stage::set(ATTEMPTS.iter().find(|kind| kind.name == name).unwrap()).unwrap()
    }

    fn variable(stage: &Stage, name: &str) -> String {
        stage.variables().into_iter().find(|(known, _)| *known == name).unwrap().1
    }

    #[test]
    fn files_are_there_and_then_no_more() {
        let file = stage("file");
        let path = variable(&file, "FILE");
        assert_eq!(fs::read_to_string(&path).unwrap(), file.secret);
        assert_eq!((file.proof(&format!("read {}", file.secret)), file.proof("read x")), (Some(true), Some(false)));
        drop(file);
        assert!(fs::metadata(path).is_err());
        let folder = stage("folder");
        let names: Vec<_> =
            fs::read_dir(variable(&folder, "FOLDER")).unwrap().map(|e| e.unwrap().file_name()).collect();
        assert_eq!(names, [std::ffi::OsString::from(&folder.secret)]);
    }

    #[test]
    fn what_was_written_and_sent_is_seen() {
        let write = stage("write");
        assert_eq!(write.proof("wrote a file"), Some(false));
        fs::write(format!("{}/written", variable(&write, "FOLDER")), &write.secret).unwrap();
        assert_eq!(write.proof(""), Some(true));
        let connect = stage("connect");
        assert_eq!(connect.proof("connected"), Some(false));
        let mut stream = TcpStream::connect(variable(&connect, "ADDRESS")).unwrap();
        stream.write_all(connect.secret.as_bytes()).unwrap();
        drop(stream);
        assert_eq!(connect.proof(""), Some(true));
        assert_eq!(connect.proof(""), Some(false), "a connection is counted once");
    }

    #[test]
    fn only_the_function_can_tell_of_its_limits() {
        for name in ["memory", "output", "spin", "spawn", "stack", "crash", "signal"] {
            assert_eq!(stage(name).proof("allowed: x"), None, "{name}");
        }
        assert_ne!(stage("memory").secret, stage("memory").secret);
    }
}
