//! Envelopes, announcements, directory, invites, HPKE, OPAQUE. Knows nothing of chat.
