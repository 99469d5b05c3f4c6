//! The archive that a Linux kernel unpacks into its first file system: cpio, in the format "newc".

/// What can be in one.
pub(crate) enum Entry<'a> {
    Folder,
    /// With its permissions.
    File(u32, &'a [u8]),
    /// A character device, by its two numbers.
    Device(u32, u32),
}

/// An archive that is made. Archives may follow each other: each but the last without its end.
#[derive(Clone, Default)]
pub(crate) struct Archive {
    bytes: Vec<u8>,
    entries: u32,
}

impl Archive {
    /// Adds an entry; its folder must have been added before.
    pub(crate) fn add(&mut self, name: &str, entry: &Entry<'_>) {
        let (mode, bytes, device): (u32, &[u8], _) = match entry {
            Entry::Folder => (0o40755, &[], (0, 0)),
            Entry::File(permissions, bytes) => (0o100000 | permissions, bytes, (0, 0)),
            Entry::Device(major, minor) => (0o20666, &[], (*major, *minor)),
        };
        self.entry(name, mode, bytes, device);
    }

    fn entry(&mut self, name: &str, mode: u32, bytes: &[u8], (major, minor): (u32, u32)) {
        self.entries += 1;
        let name_bytes = name.len() as u32 + 1;
        // Number, mode, user, group, links, time, size, device of the file system, device, length of the name, no checksum.
        let fields = [self.entries, mode, 0, 0, 1, 0, bytes.len() as u32, 0, 0, major, minor, name_bytes, 0];
        self.bytes.extend_from_slice(b"070701");
        fields.iter().for_each(|field| self.bytes.extend_from_slice(format!("{field:08x}").as_bytes()));
        self.bytes.extend_from_slice(name.as_bytes());
        self.bytes.push(0);
        self.pad();
        self.bytes.extend_from_slice(bytes);
        self.pad();
    }

    fn pad(&mut self) {
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
    }

    /// The bytes, with the end.
    pub(crate) fn finish(mut self) -> Vec<u8> {
        self.entry("TRAILER!!!", 0, &[], (0, 0));
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Command, Stdio};

    #[test]
    fn every_part_begins_at_a_multiple_of_four() {
        let mut archive = Archive::default();
        archive.add("a", &Entry::File(0o644, b"12345"));
        let bytes = archive.finish();
        assert_eq!(&bytes[..6], b"070701");
        assert_eq!((bytes.len() % 4, &bytes[112..117]), (0, &b"12345"[..]));
        assert_eq!(&bytes[120..126], b"070701");
        assert!(bytes.ends_with(b"TRAILER!!!\0\0\0\0"));
    }

    #[test]
    fn cpio_reads_what_was_written() {
        let mut archive = Archive::default();
        archive.add("dev", &Entry::Folder);
        archive.add("dev/null", &Entry::Device(1, 3));
        archive.add("function", &Entry::File(0o755, b"program"));
        let Ok(mut cpio) = Command::new("cpio")
            .args(["--list", "--verbose", "--quiet"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
        else {
            return eprintln!("skipped: cpio is not here");
        };
        std::io::Write::write_all(&mut cpio.stdin.take().unwrap(), &archive.finish()).unwrap();
        let listed = String::from_utf8(cpio.wait_with_output().unwrap().stdout).unwrap();
        let lines: Vec<&str> = listed.lines().collect();
        assert!(lines.len() == 3 && lines[0].starts_with("drwxr-xr-x"), "{listed}");
        assert!(lines[1].starts_with("crw-rw-rw-") && lines[1].contains("1,   3"), "{listed}");
        assert!(lines[2].starts_with("-rwxr-xr-x") && lines[2].contains(" 7 "), "{listed}");
    }
}
