//! Whose connection it is: of the container that runs, whatever its address was and its name.
