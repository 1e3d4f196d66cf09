//! Asking whoever sits there.

use std::io::{IsTerminal, Write};

use crate::failure::Failure;

/// Whether somebody sits there who can be asked.
pub(crate) fn can_ask() -> bool {
    std::io::stdin().is_terminal()
}

/// Asks whether to go on. The question has been said before.
pub(crate) fn is_confirmed() -> Result<bool, Failure> {
    write!(anstream::stderr(), "Type yes to go on: ")?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    Ok(answer.trim() == "yes")
}
