//! What a guest says through its port: frames, as `runtimes/process/guest/init.rs` writes them.

/// What a guest said, all of it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: Vec<u8>,
    /// As `waitpid` gives it; -1 if the guest could not run the function, of which the last line of `stderr` tells.
    pub(crate) status: i32,
}

/// Puts frames together.
///
/// # Errors
/// What the guest did not do, after "the guest ...".
pub(crate) fn answer(frames: &[u8]) -> Result<Answer, &'static str> {
    const BROKEN: Result<Answer, &str> = Err("said something that makes no sense");
    let (mut answer, mut rest) = (Answer::default(), frames);
    while let Some(([kind, length @ ..], after)) = rest.split_first_chunk::<5>() {
        let Some((bytes, next)) = after.split_at_checked(u32::from_le_bytes(*length) as usize) else {
            return Err("ended in the middle of its answer");
        };
        match (kind, <[u8; 4]>::try_from(bytes)) {
            (0, _) => answer.stdout.extend_from_slice(bytes),
            (1, _) => answer.stderr.extend_from_slice(bytes),
            (2, Ok(status)) if next.is_empty() => {
                return Ok(Answer { status: i32::from_le_bytes(status), ..answer });
            }
            _ => return BROKEN,
        }
        rest = next;
    }
    Err(if frames.is_empty() { "said nothing" } else { "did not tell how the function ended" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn frame(kind: u8, bytes: &[u8]) -> Vec<u8> {
        [&[kind], &(bytes.len() as u32).to_le_bytes()[..], bytes].concat()
    }

    #[test]
    fn an_answer_is_whole_or_none() {
        let end = frame(2, &256_i32.to_le_bytes());
        let whole = [frame(0, b"a\0\r\n"), frame(1, b"oops"), frame(0, b"\x1ab"), end.clone()].concat();
        let wanted = Answer { stdout: b"a\0\r\n\x1ab".to_vec(), stderr: b"oops".to_vec(), status: 256 };
        assert_eq!(answer(&whole), Ok(wanted));
        for (frames, what) in [
            (Vec::new(), "said nothing"),
            (frame(0, b"a"), "did not tell how the function ended"),
            (whole[..7].to_vec(), "ended in the middle of its answer"),
            ([end.clone(), frame(0, b"a")].concat(), "said something that makes no sense"),
            (frame(2, b"abc"), "said something that makes no sense"),
            (frame(3, b""), "said something that makes no sense"),
        ] {
            assert_eq!(answer(&frames), Err(what));
        }
    }

    proptest! {
        #[test]
        fn what_is_cut_off_or_changed_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..64), at in 0_usize..64) {
            let _ = answer(&bytes);
            let mut whole = [frame(0, &bytes), frame(2, &0_i32.to_le_bytes())].concat();
            prop_assert_eq!(answer(&whole).map(|answer| answer.stdout), Ok(bytes));
            whole.truncate(at.min(whole.len() - 1));
            prop_assert!(answer(&whole).is_err());
        }
    }
}
