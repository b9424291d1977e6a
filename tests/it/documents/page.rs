//! A page of Markdown, as far as it matters here: fences and what is said about them.

/// A block between fences.
#[derive(Debug)]
pub struct Block {
    /// Where it begins, for messages.
    pub line: usize,
    /// Language of the fence.
    pub language: String,
    /// Comment on the line before.
    pub note: Option<String>,
    pub text: String,
}

impl Block {
    /// Why it is not run, if it is not.
    pub fn reason_not_to_run(&self) -> Option<&str> {
        self.note.as_deref()?.strip_prefix("not run: ")
    }

    /// Its commands, continued lines joined.
    pub fn commands(&self) -> Vec<String> {
        let mut commands = Vec::new();
        let mut command = String::new();
        for line in self.text.lines() {
            let (part, goes_on) = match line.strip_suffix('\\') {
                Some(part) => (part, true),
                None => (line, line.ends_with('|')),
            };
            command.push_str(part);
            command.push(' ');
            if !goes_on {
                commands.push(std::mem::take(&mut command).trim().to_owned());
            }
        }
        assert!(command.is_empty(), "line {}: an open end", self.line);
        commands.retain(|command| !command.is_empty());
        commands
    }
}

/// The blocks of a page, and the lines outside of them.
pub fn read(text: &str) -> (Vec<Block>, Vec<(usize, &str)>) {
    let (mut blocks, mut prose) = (Vec::new(), Vec::new());
    let mut lines = text.lines().enumerate();
    while let Some((number, line)) = lines.next() {
        let Some(language) = line.trim_start().strip_prefix("```") else {
            prose.push((number + 1, line));
            continue;
        };
        let note = prose
            .last()
            .and_then(|(_, line): &(usize, &str)| line.strip_prefix("<!-- ")?.strip_suffix(" -->"))
            .map(str::to_owned);
        let body: Vec<_> = lines
            .by_ref()
            .map(|(_, line)| line)
            .take_while(|line| line.trim_start() != "```")
            .collect();
        blocks.push(Block {
            line: number + 1,
            language: language.to_owned(),
            note,
            text: body.join("\n"),
        });
    }
    (blocks, prose)
}

/// The anchors that GitHub makes of the headings.
pub fn anchors(text: &str) -> Vec<String> {
    let (_, prose) = read(text);
    let headings = prose.iter().filter(|(_, line)| line.starts_with('#'));
    let headings = headings.map(|(_, line)| line.trim_start_matches('#').trim());
    headings
        .map(|heading| {
            heading
                .to_lowercase()
                .chars()
                .filter(|c| c.is_alphanumeric() || " -_".contains(*c))
                .map(|c| if c == ' ' { '-' } else { c })
                .collect()
        })
        .collect()
}

/// The targets of a line's links, and what stands behind them.
pub fn links(line: &str) -> impl Iterator<Item = (&str, &str)> {
    let rests = line.split("](").skip(1);
    rests.filter_map(|rest| rest.split_once(')'))
}
