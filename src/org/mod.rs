//! Who is who: the signed directory, people, invites, login, teams, sites.
