//! Files with the same content. Rotated logs are copied, packed and kept beside each other, and a copy that
//! is taken while a log is still being written is the start of it; whoever reads the folder would count every
//! line twice.

use std::io::{self, Read};
use std::path::Path;

use super::Input;

/// Plain bytes at the start of a file by which copies are looked for: enough to have the header of any log
/// and its first rows, little enough to be kept for ten thousand files.
pub(crate) const HEAD: usize = 2048;

/// The shortest file, in plain bytes, that is taken for the start of another. A shorter one may be a header
/// that many files have.
const SHORTEST_START: u64 = 64;

/// Files with the same head that a file is compared with: the comparison ends at the first byte that differs,
/// but each opens two files.
const MOST_COMPARED: usize = 64;

/// Bytes compared at a time.
const CHUNK: usize = 1 << 16;

/// What a file is a copy of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CopyOf {
    /// The place of the file that has all of it.
    pub(crate) file: usize,
    /// True where it has nothing more.
    pub(crate) whole: bool,
}

/// For each file what it is a copy of. `heads` are the first [`HEAD`] plain bytes of each, fewer where there
/// are no more. Of files with the same content the first stays.
pub(crate) fn find(files: &[(&Path, &[u8])]) -> Vec<Option<CopyOf>> {
    let mut found: Vec<Option<CopyOf>> = vec![None; files.len()];
    let mut order: Vec<usize> = (0..files.len()).collect();
    // Behind a head come those that begin with it.
    order.sort_by_key(|&file| (files[file].1, file));
    let mut originals: Vec<usize> = Vec::new();
    for (at, &file) in order.iter().enumerate() {
        let head = files[file].1;
        if head.is_empty() {
            continue;
        }
        if head.len() < HEAD {
            short(file, at, &order, files, &mut found);
            continue;
        }
        if originals.first().is_none_or(|&first| files[first].1 != head) {
            originals.clear();
        }
        let mut is_original = true;
        for original in &mut originals {
            match compare(files[*original].0, files[file].0) {
                Relation::Same => found[file] = Some(CopyOf { file: *original, whole: true }),
                Relation::SecondIsStart => found[file] = Some(CopyOf { file: *original, whole: false }),
                Relation::FirstIsStart => {
                    found[*original] = Some(CopyOf { file, whole: false });
                    *original = file;
                }
                Relation::Different => continue,
            }
            is_original = false;
            break;
        }
        if is_original && originals.len() < MOST_COMPARED {
            originals.push(file);
        }
    }
    // A copy of a copy is one of what that is a copy of.
    for file in 0..found.len() {
        let Some(mut copy) = found[file] else { continue };
        while let Some(next) = found[copy.file] {
            copy = CopyOf { file: next.file, whole: copy.whole && next.whole };
        }
        found[file] = Some(copy);
    }
    found
}

/// A file of which the head is all.
fn short(file: usize, at: usize, order: &[usize], files: &[(&Path, &[u8])], found: &mut [Option<CopyOf>]) {
    let head = files[file].1;
    if found[file].is_some() {
        return;
    }
    for &other in order[at + 1..].iter().take_while(|&&other| files[other].1.starts_with(head)) {
        if files[other].1 == head {
            // Of equal ones the first comes first, so that it is the one that stays.
            found[other] = Some(CopyOf { file, whole: true });
        } else {
            if head.len() as u64 >= SHORTEST_START {
                found[file] = Some(CopyOf { file: other, whole: false });
            }
            return;
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Relation {
    Different,
    Same,
    FirstIsStart,
    SecondIsStart,
}

/// Compares plain bytes. Damage counts as the end of a file, since nothing behind it can be read; where the
/// disk fails, nothing is said, and the reader will meet the failure itself.
fn compare(first: &Path, second: &Path) -> Relation {
    let (Ok(mut first), Ok(mut second)) = (Input::open(first, None), Input::open(second, None)) else {
        return Relation::Different;
    };
    let (mut a, mut b) = (vec![0; CHUNK], vec![0; CHUNK]);
    let mut total = 0;
    loop {
        let (n, m) = (fill(&mut first, &mut a), fill(&mut second, &mut b));
        let common = n.min(m);
        if first.world_failed() || second.world_failed() || a[..common] != b[..common] {
            return Relation::Different;
        }
        total += common as u64;
        match n.cmp(&m) {
            std::cmp::Ordering::Equal if n == CHUNK => {}
            std::cmp::Ordering::Equal => return Relation::Same,
            _ if total < SHORTEST_START => return Relation::Different,
            std::cmp::Ordering::Less => return Relation::FirstIsStart,
            std::cmp::Ordering::Greater => return Relation::SecondIsStart,
        }
    }
}

/// Reads until the buffer is full or nothing more comes.
fn fill(input: &mut Input, buffer: &mut [u8]) -> usize {
    let mut n = 0;
    while n < buffer.len() {
        match input.read(&mut buffer[n..]) {
            Ok(0) => break,
            Ok(more) => n += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => break,
        }
    }
    n
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn check(contents: &[Vec<u8>]) -> String {
        let folder = tempfile::tempdir().expect("a folder");
        let paths: Vec<_> = (0..contents.len()).map(|n| folder.path().join(n.to_string())).collect();
        let heads: Vec<Vec<u8>> = paths
            .iter()
            .zip(contents)
            .map(|(path, content)| {
                std::fs::write(path, content).expect("a file");
                let mut head = vec![0; HEAD];
                let n = fill(&mut Input::open(path, None).expect("a file"), &mut head);
                head.truncate(n);
                head
            })
            .collect();
        let files: Vec<(&Path, &[u8])> =
            paths.iter().zip(&heads).map(|(path, head)| (path.as_path(), head.as_slice())).collect();
        let shown = find(&files).into_iter().map(|copy| match copy {
            None => "-".to_owned(),
            Some(copy) if copy.whole => format!("={}", copy.file),
            Some(copy) => format!("<{}", copy.file),
        });
        shown.collect::<Vec<_>>().join(" ")
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut out = GzEncoder::new(Vec::new(), Compression::default());
        out.write_all(bytes).expect("writing to memory");
        out.finish().expect("writing to memory")
    }

    fn lines(n: usize) -> Vec<u8> {
        (0..n).flat_map(|n| format!("line {n} of the log\n").into_bytes()).collect()
    }

    #[test]
    fn copies_are_found_whatever_their_packing_and_place() {
        let long = lines(20_000);
        assert_eq!(check(&[long.clone(), gzip(&long), lines(10)]), "- =0 <0");
        assert_eq!(check(&[lines(500), long.clone(), long.clone(), lines(500)]), "<1 - =1 <1");
        assert_eq!(check(&[lines(5), lines(5), lines(6)]), "<2 <2 -");
    }

    #[test]
    fn what_differs_late_or_is_short_is_no_copy() {
        let mut other = lines(20_000);
        let last = other.len() - 2;
        other[last] = b'x';
        assert_eq!(check(&[lines(20_000), other]), "- -");
        assert_eq!(check(&[b"a,b\n".to_vec(), b"a,b\n1,2\n".to_vec()]), "- -");
        assert_eq!(check(&[b"a,b\n".to_vec(), b"a,b\n".to_vec()]), "- =0");
    }

    #[test]
    fn a_packed_copy_that_was_cut_is_the_start_of_its_original() {
        let long = lines(20_000);
        let packed = gzip(&long);
        assert_eq!(check(&[packed[..packed.len() / 2].to_vec(), long]), "<1 -");
    }
}
