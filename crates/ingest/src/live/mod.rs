//! Inputs that do not end: files that grow, and datagrams that arrive.
