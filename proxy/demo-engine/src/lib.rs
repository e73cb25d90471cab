//! A small in-process Docker Engine.
