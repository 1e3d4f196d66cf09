//! Fuzz targets: decoders of stored bytes under hostile input.
//!
//! A target is an ordinary test that calls [`target`]. There it sees the inputs that are kept in a file, then a number of
//! mutations of valid encodings, the same ones every time. `cargo xtask fuzz` builds the same tests with counters of
//! coverage and lets libFuzzer choose the inputs, for as long as one likes.
//!
//! Random bytes hardly pass the first check of a decoder, and mutated ones no checksum. So a target takes what lies
//! behind the checksum as its input, and computes the checksum itself.

#[cfg(not(fuzzing_libfuzzer))]
mod mutate;

/// Runs a target over its kept inputs and over so many mutations of valid ones.
///
/// `kept` is the text of a file with an input a line, as hexadecimal digits; empty lines and those that begin with `#`
/// say why it is kept. Each input that was a fault goes there.
///
/// # Panics
/// Where `check` does, after printing the input; and where `kept` has another form.
#[cfg(not(fuzzing_libfuzzer))]
#[expect(clippy::print_stderr, reason = "a panic of the target does not know its input")]
pub fn target(kept: &str, valid: &[Vec<u8>], rounds: u64, check: impl Fn(&[u8])) {
    let mutations = mutate::Mutations::of(valid);
    let mutated = (0..rounds).map(|_| mutations.draw());
    for input in inputs(kept).into_iter().chain(valid.iter().cloned()).chain(mutated) {
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| check(&input)));
        if let Err(panic) = outcome {
            eprintln!("the input that does this, as a line of the file of kept inputs:\n{}", hex(&input));
            std::panic::resume_unwind(panic);
        }
    }
}

/// Lets libFuzzer run a target. Its options and the folder that the first inputs are put into come by the environment,
/// from `cargo xtask fuzz`.
///
/// # Panics
/// Where `check` does, and where the folder cannot be written.
#[cfg(fuzzing_libfuzzer)]
pub fn target(kept: &str, valid: &[Vec<u8>], _: u64, check: impl Fn(&[u8])) {
    let folder = std::env::var_os("LUCIHUB_FUZZ_CORPUS").expect("cargo xtask fuzz names the folder of inputs");
    let folder = std::path::PathBuf::from(folder);
    for (n, input) in inputs(kept).iter().chain(valid).enumerate() {
        std::fs::write(folder.join(format!("valid-{n}")), input).unwrap();
    }
    let check = std::panic::AssertUnwindSafe(check);
    bolero::check!().for_each(|input: &[u8]| check(input));
}

/// Runs a decoder that may hold so many bytes at once. `measure` calls what it is given and returns the most bytes that
/// it held.
///
/// # Panics
/// Where it held more.
pub fn within<T>(most: u64, measure: impl FnOnce(&mut dyn FnMut()) -> u64, decode: impl FnOnce() -> T) -> T {
    let (mut decode, mut decoded) = (Some(decode), None);
    let held = measure(&mut || decoded = decode.take().map(|decode| decode()));
    assert!(held <= most, "the decoder held {held} bytes at once, the limit is {most}");
    decoded.expect("measure calls what it is given")
}

/// Takes a number off the front of an input; what is not there is 0.
pub fn number(input: &mut &[u8], bytes: usize) -> u64 {
    let (number, rest) = input.split_at(bytes.min(8).min(input.len()));
    *input = rest;
    number.iter().rev().fold(0, |sum, byte| sum << 8 | u64::from(*byte))
}

fn inputs(kept: &str) -> Vec<Vec<u8>> {
    let lines = kept.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(|line| unhex(line).unwrap_or_else(|| panic!("not hexadecimal: {line}"))).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |c: u8| char::from(c).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else { return None };
    pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?)).collect()
}

#[cfg(not(fuzzing_libfuzzer))]
fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .filter_map(|digit| char::from_digit(digit.into(), 16))
        .collect()
}

#[cfg(all(test, not(fuzzing_libfuzzer)))]
mod tests {
    use std::cell::RefCell;

    use super::*;

    #[test]
    fn kept_inputs_come_first_and_the_rest_repeats() {
        let seen = || {
            let seen = RefCell::new(Vec::new());
            target("# why\n\n00ff\n", &[b"valid".to_vec()], 50, |input| seen.borrow_mut().push(input.to_vec()));
            seen.into_inner()
        };
        let all = seen();
        assert_eq!(all[..2], [vec![0, 255], b"valid".to_vec()]);
        assert_eq!((all.len(), &all), (52, &seen()));
        assert!(all[2..].iter().filter(|input| *input != b"valid").count() > 40);
        assert_eq!(hex(&unhex("00ff1a").unwrap()), "00ff1a");
    }

    #[test]
    #[should_panic(expected = "held 8 bytes at once")]
    fn too_much_memory_is_a_failure() {
        let measure = |act: &mut dyn FnMut()| {
            act();
            8
        };
        assert_eq!(within(8, measure, || 1), 1);
        within(7, measure, || 1);
    }

    #[test]
    fn numbers_come_off_the_front() {
        let mut input: &[u8] = &[1, 1, 7, 9];
        assert_eq!((number(&mut input, 2), number(&mut input, 1), number(&mut input, 8)), (257, 7, 9));
        assert_eq!(number(&mut input, 4), 0);
    }
}
