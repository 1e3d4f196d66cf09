//! What was asked and answered, as the clients saw it. It is only ever added to.
