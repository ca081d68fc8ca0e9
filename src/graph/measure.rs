use super::geometry::Size;

/// In what letters a text is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Style {
    /// The saga's title.
    Title,
    /// A remark under it.
    Note,
    /// What an item does.
    Heading,
    /// What kind of thing an item is.
    Caption,
    /// That a step is the pivot.
    Badge,
    /// A step's name.
    Name,
    /// The word in front of a particular.
    Word,
    /// A particular.
    Detail,
    /// What stands at an edge.
    Label,
    /// A lane's name.
    Lane,
}

impl Style {
    /// The name of its class in the style sheet.
    pub fn class(self) -> &'static str {
        match self {
            Self::Title => "title",
            Self::Note => "note",
            Self::Heading => "heading",
            Self::Caption => "caption",
            Self::Badge => "badge",
            Self::Name => "name",
            Self::Word => "word",
            Self::Detail => "detail",
            Self::Label => "label",
            Self::Lane => "lane-name",
        }
    }

    /// The size of its letters.
    pub fn size(self) -> i32 {
        match self {
            Self::Title => 20,
            Self::Heading | Self::Lane => 14,
            Self::Note => 13,
            Self::Name | Self::Word | Self::Detail | Self::Label => 12,
            Self::Caption | Self::Badge => 11,
        }
    }

    /// How far its lines stand from one another.
    pub fn height(self) -> i32 {
        self.size() + 4
    }

    /// Whether its letters are bold.
    pub fn is_bold(self) -> bool {
        match self {
            Self::Title | Self::Heading | Self::Badge | Self::Lane => true,
            Self::Note | Self::Caption | Self::Name | Self::Word | Self::Detail | Self::Label => {
                false
            }
        }
    }
}

/// How wide a text is at the most: the widths are those of a wide sans serif (`DejaVu Sans`, as
/// wide as Verdana), so that it fits in all common ones.
pub(super) fn width(text: &str, style: Style) -> i32 {
    let widths = if style.is_bold() { &BOLD } else { &REGULAR };
    let thousandths: i32 = text.chars().map(|c| letter(c, widths)).sum();
    (thousandths * style.size() + 999) / 1000
}

/// How large lines of text are together.
pub(super) fn size(lines: &[String], style: Style) -> Size {
    let widest = lines.iter().map(|line| width(line, style)).max().unwrap_or(0);
    Size { width: widest, height: rows(lines.len()) * style.height() }
}

/// A number of rows, as a length.
pub(super) fn rows(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

/// A letter's width in thousandths of the letters' size.
fn letter(c: char, widths: &[u16; 95]) -> i32 {
    match c {
        ' '..='~' => i32::from(widths[c as usize - ' ' as usize]),
        '\u{300}'..='\u{36f}' => 0,
        '·' => 380,
        '×' | '→' | '←' | '↩' => 840,
        '\u{a0}'..='\u{2e7f}' => 1100,
        _ => 1400,
    }
}

#[rustfmt::skip]
const REGULAR: [u16; 95] = [
    318, 401, 460, 838, 637, 951, 780, 275, 391, 391, 500, 838, 318, 361, 318, 337,
    637, 637, 637, 637, 637, 637, 637, 637, 637, 637, 337, 337, 838, 838, 838, 531,
    1000, 685, 687, 699, 771, 632, 576, 775, 752, 295, 295, 656, 558, 863, 749, 788,
    604, 788, 695, 635, 611, 732, 685, 989, 686, 611, 686, 391, 337, 391, 838, 500,
    500, 613, 635, 550, 635, 616, 353, 635, 634, 278, 278, 580, 278, 975, 634, 612,
    635, 635, 412, 521, 393, 634, 592, 818, 592, 592, 525, 637, 337, 637, 838,
];

#[rustfmt::skip]
const BOLD: [u16; 95] = [
    349, 457, 521, 838, 696, 1002, 873, 307, 458, 458, 523, 838, 380, 416, 380, 366,
    696, 696, 696, 696, 696, 696, 696, 696, 696, 696, 400, 400, 838, 838, 838, 581,
    1000, 774, 763, 734, 831, 684, 684, 821, 837, 373, 373, 775, 638, 996, 837, 851,
    733, 851, 771, 721, 683, 813, 774, 1104, 771, 725, 726, 458, 366, 458, 838, 500,
    500, 675, 716, 593, 716, 679, 436, 716, 712, 343, 343, 666, 343, 1042, 712, 688,
    716, 716, 494, 596, 479, 712, 652, 924, 646, 652, 583, 712, 366, 712, 838,
];
