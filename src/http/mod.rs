//! The edges: accept, TLS, routes, upgrade, socket sessions, embedded pages, the admin socket.
