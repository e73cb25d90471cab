//! What plugins see of a container.
