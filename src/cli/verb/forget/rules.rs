//! The options that say what stays.

use clap::Args;

use crate::cli::failure::Failure;
use crate::cli::language::table::keeping::forget as texts;
use crate::retention::rule::Age;
use crate::retention::rule::Limit;
use crate::retention::rule::Rule;
use crate::retention::rule::RuleError;
use crate::retention::rule::Unit;
use crate::retention::rule::parse_count;

/// What stays.
#[derive(Debug, Args)]
#[command(next_help_heading = "What stays")]
#[group(id = "rules", multiple = true)]
pub struct RuleArgs {
    /// The newest N snapshots, or `all`.
    #[arg(short = 'l', long, value_name = "N")]
    pub keep_last: Option<String>,
    /// Of the newest N hours that have a snapshot, the first and the last one.
    #[arg(long, value_name = "N")]
    pub keep_hourly: Option<String>,
    /// The same for days.
    #[arg(short = 'd', long, value_name = "N")]
    pub keep_daily: Option<String>,
    /// The same for weeks.
    #[arg(short = 'w', long, value_name = "N")]
    pub keep_weekly: Option<String>,
    /// The same for months.
    #[arg(short = 'm', long, value_name = "N")]
    pub keep_monthly: Option<String>,
    /// The same for years.
    #[arg(short = 'y', long, value_name = "N")]
    pub keep_yearly: Option<String>,
    /// All that are no older than this, counted from the newest, such as `14d` or `1y6m`.
    #[arg(long, value_name = "AGE")]
    pub keep_within: Option<String>,
    /// The first and the last of each hour no older than this.
    #[arg(long, value_name = "AGE")]
    pub keep_within_hourly: Option<String>,
    /// The same for days.
    #[arg(long, value_name = "AGE")]
    pub keep_within_daily: Option<String>,
    /// The same for weeks.
    #[arg(long, value_name = "AGE")]
    pub keep_within_weekly: Option<String>,
    /// The same for months.
    #[arg(long, value_name = "AGE")]
    pub keep_within_monthly: Option<String>,
    /// The same for years.
    #[arg(long, value_name = "AGE")]
    pub keep_within_yearly: Option<String>,
    /// Those with this tag; with commas: with all of them.
    #[arg(long, value_name = "TAG[,TAG]")]
    pub keep_tag: Vec<String>,
}

impl RuleArgs {
    /// # Errors
    /// When a number or an age cannot be read (code 2).
    pub fn parse(&self) -> Result<Vec<Rule>, Failure> {
        let counts = [
            (&self.keep_last, Unit::Each),
            (&self.keep_hourly, Unit::Hour),
            (&self.keep_daily, Unit::Day),
            (&self.keep_weekly, Unit::Week),
            (&self.keep_monthly, Unit::Month),
            (&self.keep_yearly, Unit::Year),
        ];
        let ages = [
            (&self.keep_within, Unit::Each),
            (&self.keep_within_hourly, Unit::Hour),
            (&self.keep_within_daily, Unit::Day),
            (&self.keep_within_weekly, Unit::Week),
            (&self.keep_within_monthly, Unit::Month),
            (&self.keep_within_yearly, Unit::Year),
        ];
        let mut rules = Vec::new();
        for (text, unit) in counts {
            let Some(text) = text else { continue };
            let limit = parse_count(text).map_err(|error| wrong(("keep", unit), &error))?;
            rules.push(Rule::Spread { unit, limit });
        }
        for (text, unit) in ages {
            let Some(text) = text else { continue };
            let age: Age = text.parse().map_err(|error| wrong(("keep-within", unit), &error))?;
            rules.push(Rule::Spread { unit, limit: Limit::Within(age) });
        }
        for tags in &self.keep_tag {
            let tags = tags.split(',').map(|tag| tag.trim().to_owned()).collect();
            rules.push(Rule::Tags(tags));
        }
        Ok(rules)
    }
}

fn wrong((option, unit): (&str, Unit), error: &RuleError) -> Failure {
    let option = match (option, unit) {
        ("keep-within", Unit::Each) => "--keep-within".to_owned(),
        (option, unit) => format!("--{option}-{}", unit.adverb()),
    };
    let message = texts::BAD_RULE.with("option", option).with("detail", error.to_string());
    Failure::usage(message, texts::CORRECT_RULE)
}
