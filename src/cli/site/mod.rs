//! `kefu site`: the places where widgets are embedded.

mod add;
mod change;
mod form;
mod identity;
mod identity_key;
mod list;
mod off;
pub mod outdated;
mod show;
mod snippet;

use serde_json::Value;

use crate::org::SiteSettings;

commands! {
    /// Sites: the places where widgets are embedded
    pub enum Command {
        Add(add::Args),
        List(list::Args),
        Show(show::Args),
        Change(change::Args),
        Off(off::Args),
        Snippet(snippet::Args),
        Identity(identity::Args),
    }
}

/// Greeting, form and other settings of a site; none of it is signed.
#[derive(Debug, clap::Args)]
pub struct SettingsArgs {
    /// Fields of the form before the chat, such as name,phone:required,plan=套餐|Plan; "" for none
    #[arg(long, value_name = "FIELDS", value_parser = form::form)]
    form: Option<Value>,
    /// The widget's greeting; "" for the default
    #[arg(long, value_name = "TEXT")]
    greeting: Option<String>,
    /// What the widget says when nobody is there; "" for the default
    #[arg(long, value_name = "TEXT")]
    away: Option<String>,
    /// Whether visitors are asked how a conversation went
    #[arg(long, value_name = "YES|NO", value_parser = yes_or_no)]
    rating: Option<bool>,
    /// Whether the widget refuses to start in pages without https
    #[arg(long, value_name = "YES|NO", value_parser = yes_or_no)]
    require_secure: Option<bool>,
}

fn yes_or_no(text: &str) -> Result<bool, String> {
    match text {
        "yes" => Ok(true),
        "no" => Ok(false),
        _ => Err("say yes or no".into()),
    }
}

impl SettingsArgs {
    fn is_empty(&self) -> bool {
        self.form.is_none()
            && self.greeting.is_none()
            && self.away.is_none()
            && self.rating.is_none()
            && self.require_secure.is_none()
    }

    /// The settings with what was given changed.
    fn onto(&self, mut settings: SiteSettings) -> SiteSettings {
        if let Some(form) = &self.form {
            settings.form = form.clone();
        }
        if let Some(greeting) = &self.greeting {
            settings.greeting = greeting.trim().into();
        }
        if let Some(away) = &self.away {
            settings.away = away.trim().into();
        }
        settings.rating = self.rating.unwrap_or(settings.rating);
        settings.require_secure = self.require_secure.unwrap_or(settings.require_secure);
        settings
    }
}
