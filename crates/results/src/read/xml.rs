//! A tree of XML elements with bounds: no document type, no entities but the five of XML, bounded depth and number.
//!
//! Names are local names; only the root's name space is kept, which tells one format from another.

use quick_xml::NsReader;
use quick_xml::events::{BytesStart, Event};
use quick_xml::name::ResolveResult;

use super::{MAX_XML_BYTES, ReadError};

/// The most elements inside each other. Real files have 16.
const MAX_DEPTH: usize = 64;

/// The most elements of a file.
const MAX_ELEMENTS: usize = 4_000_000;

/// The most bytes of text directly in one element.
const MAX_TEXT_BYTES: usize = 1 << 20;

/// A file as a tree.
pub(super) struct Document<'a> {
    /// The whole text.
    pub(super) text: &'a str,
    /// The root element.
    pub(super) root: Element,
    /// The root's name space.
    pub(super) namespace: Box<str>,
    /// Where lines begin.
    lines: Vec<usize>,
}

/// One element.
#[derive(Debug, Default)]
pub(super) struct Element {
    /// Its name without prefix.
    pub(super) name: Box<str>,
    /// Its attributes by name without prefix.
    attributes: Vec<(Box<str>, Box<str>)>,
    /// The text directly inside, with space at the ends cut off.
    pub(super) text: String,
    /// The elements inside.
    pub(super) children: Vec<Element>,
    /// The byte where it begins.
    offset: usize,
}

impl<'a> Document<'a> {
    /// Reads a file.
    pub(super) fn parse(bytes: &'a [u8], name: &str) -> Result<Self, ReadError> {
        if bytes.len() > MAX_XML_BYTES {
            return Err(ReadError::TooLarge { name: name.to_owned(), limit: MAX_XML_BYTES });
        }
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let lines = line_starts(bytes);
        let text = std::str::from_utf8(bytes).map_err(|error| ReadError::Encoding {
            name: name.to_owned(),
            line: line_of(&lines, error.valid_up_to()),
            encoding: "UTF-8",
        })?;
        match parse(text) {
            Ok((root, namespace)) => Ok(Self { text, root, namespace, lines }),
            Err((offset, what)) => {
                Err(ReadError::Xml { name: name.to_owned(), line: line_of(&lines, offset), what })
            }
        }
    }

    /// The line where an element begins, from 1.
    pub(super) fn line(&self, element: &Element) -> u64 {
        line_of(&self.lines, element.offset)
    }

    /// The line of a byte, from 1.
    pub(super) fn line_at(&self, offset: usize) -> u64 {
        line_of(&self.lines, offset)
    }
}

impl Element {
    /// An attribute.
    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(own, _)| &**own == name).map(|(_, value)| &**value)
    }

    /// The first element of a name inside.
    pub(super) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| &*child.name == name)
    }

    /// The elements of a name inside.
    pub(super) fn all<'e>(&'e self, name: &'e str) -> impl Iterator<Item = &'e Self> {
        self.children.iter().filter(move |child| &*child.name == name)
    }

    /// The text of the first element of a name inside; nothing where there is none or it is empty.
    pub(super) fn text_of(&self, name: &str) -> Option<&str> {
        self.child(name).map(|child| child.text.as_str()).filter(|text| !text.is_empty())
    }

    /// The element that a path of names leads to, by the first of each name.
    pub(super) fn at(&self, path: &[&str]) -> Option<&Self> {
        path.iter().try_fold(self, |element, name| element.child(name))
    }
}

fn line_starts(bytes: &[u8]) -> Vec<usize> {
    let mut lines = vec![0];
    lines.extend(bytes.iter().enumerate().filter(|&(_, &b)| b == b'\n').map(|(at, _)| at + 1));
    lines
}

fn line_of(lines: &[usize], offset: usize) -> u64 {
    lines.partition_point(|&start| start <= offset) as u64
}

/// The root and its name space, or the byte and what is wrong there.
fn parse(text: &str) -> Result<(Element, Box<str>), (usize, String)> {
    let mut reader = NsReader::from_str(text);
    let mut open: Vec<Element> = Vec::new();
    let mut root: Option<(Element, Box<str>)> = None;
    let mut namespace: Box<str> = "".into();
    let mut count = 0_usize;
    loop {
        let offset = usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX);
        let fail = |what: &str| (offset, what.to_owned());
        let event = match reader.read_event() {
            Ok(event) => event,
            Err(error) => {
                let at = usize::try_from(reader.error_position()).unwrap_or(offset);
                return Err((at, error.to_string()));
            }
        };
        match event {
            Event::Start(ref start) | Event::Empty(ref start) => {
                count += 1;
                if count > MAX_ELEMENTS {
                    return Err((offset, format!("it has more than {MAX_ELEMENTS} elements")));
                }
                if open.len() >= MAX_DEPTH {
                    return Err((
                        offset,
                        format!("elements are inside each other more than {MAX_DEPTH} deep"),
                    ));
                }
                if open.is_empty() {
                    if root.is_some() {
                        return Err(fail("there is a second root element"));
                    }
                    namespace = match reader.resolver().resolve_element(start.name()).0 {
                        ResolveResult::Bound(bound) => String::from_utf8_lossy(bound.as_ref()).into(),
                        _ => "".into(),
                    };
                }
                let element = element(start, offset).map_err(|what| (offset, what))?;
                if matches!(event, Event::Start(_)) {
                    open.push(element);
                } else {
                    close(element, &mut open, &mut root, &namespace);
                }
            }
            Event::End(_) => {
                let element = open.pop().ok_or_else(|| fail("an element ends that has not begun"))?;
                close(element, &mut open, &mut root, &namespace);
            }
            Event::Text(part) => {
                let part = part.xml10_content().map_err(|error| (offset, error.to_string()))?;
                append(&mut open, &part).map_err(|what| (offset, what))?;
            }
            Event::CData(part) => {
                let part = part.xml10_content().map_err(|error| (offset, error.to_string()))?;
                append(&mut open, &part).map_err(|what| (offset, what))?;
            }
            Event::GeneralRef(reference) => {
                let letter = reference.resolve_char_ref().map_err(|error| (offset, error.to_string()))?;
                let name = reference.decode().map_err(|error| (offset, error.to_string()))?;
                let known = quick_xml::escape::resolve_predefined_entity(&name);
                let part = letter.map(String::from).or(known.map(str::to_owned));
                append(&mut open, &part.ok_or_else(|| fail("entities are not read"))?)
                    .map_err(|what| (offset, what))?;
            }
            Event::DocType(_) => return Err(fail("document types are not read")),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
            Event::Eof => break,
        }
    }
    if !open.is_empty() {
        return Err((text.len(), "it ends inside an element".to_owned()));
    }
    root.ok_or_else(|| (0, "it has no element".to_owned()))
}

fn element(start: &BytesStart<'_>, offset: usize) -> Result<Element, String> {
    let local =
        |name: quick_xml::name::LocalName<'_>| -> Box<str> { String::from_utf8_lossy(name.as_ref()).into() };
    let mut element = Element { name: local(start.local_name()), offset, ..Element::default() };
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|error| error.to_string())?;
        if attribute.key.as_namespace_binding().is_some() {
            continue;
        }
        let value = attribute
            .normalized_value(quick_xml::XmlVersion::Implicit1_0)
            .map_err(|error| error.to_string())?;
        element.attributes.push((local(attribute.key.local_name()), value.trim().into()));
    }
    Ok(element)
}

fn append(open: &mut [Element], part: &str) -> Result<(), String> {
    match open.last_mut() {
        Some(element) if element.text.len() + part.len() > MAX_TEXT_BYTES => {
            Err(format!("an element has more than {MAX_TEXT_BYTES} bytes of text"))
        }
        Some(element) => {
            // Space between elements is not worth keeping.
            if !element.text.is_empty() || !part.trim().is_empty() {
                element.text.push_str(part);
            }
            Ok(())
        }
        None if part.trim().is_empty() => Ok(()),
        None => Err("there is text outside the root element".to_owned()),
    }
}

fn close(
    mut element: Element,
    open: &mut [Element],
    root: &mut Option<(Element, Box<str>)>,
    namespace: &str,
) {
    element.text.truncate(element.text.trim_end().len());
    let begins = element.text.len() - element.text.trim_start().len();
    element.text.drain(..begins);
    match open.last_mut() {
        Some(parent) => parent.children.push(element),
        None => *root = Some((element, namespace.into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> String {
        match Document::parse(text.as_bytes(), "x.xml") {
            Ok(document) => format!("{{{}}} {:?}", document.namespace, document.root.children.len()),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn a_tree_has_names_text_attributes_and_lines() {
        let text = "<?xml version=\"1.0\"?>\n<k:a xmlns:k=\"urn:x\" k:Id=' 7 '>\n<b>x &amp; <![CDATA[<y>]]>&#x41;</b>\n<k:b/></k:a>";
        let document = Document::parse(text.as_bytes(), "x.xml").expect("well-formed");
        let root = &document.root;
        assert_eq!((&*root.name, &*document.namespace, root.attribute("Id")), ("a", "urn:x", Some("7")));
        assert_eq!(root.text_of("b"), Some("x & <y>A"));
        let lines: Vec<u64> = root.all("b").map(|each| document.line(each)).collect();
        assert_eq!(lines, [3, 4]);
    }

    #[test]
    fn what_is_no_tree_or_wants_more_is_refused() {
        let bomb = "<!DOCTYPE a [<!ENTITY b \"bb\">]>\n<a>&b;</a>";
        let deep = "<a>".repeat(65) + &"</a>".repeat(65);
        let cases = [
            "",
            "<a>",
            "<a></b>",
            "<a/><b/>",
            "<a/>x",
            "<a>&b;</a>",
            bomb,
            "<a b='1' b='2'/>",
            &deep,
            "\n<a>\n<",
        ];
        let out: Vec<String> = cases.iter().map(|case| check(case)).collect();
        insta::assert_snapshot!(out.join("\n"), @"
        line 1 of `x.xml` is not XML that can be read: it has no element
        line 1 of `x.xml` is not XML that can be read: it ends inside an element
        line 1 of `x.xml` is not XML that can be read: ill-formed document: expected `</a>`, but `</b>` was found
        line 1 of `x.xml` is not XML that can be read: there is a second root element
        line 1 of `x.xml` is not XML that can be read: there is text outside the root element
        line 1 of `x.xml` is not XML that can be read: entities are not read
        line 1 of `x.xml` is not XML that can be read: document types are not read
        line 1 of `x.xml` is not XML that can be read: position 8: duplicated attribute, previous declaration at position 2
        line 1 of `x.xml` is not XML that can be read: elements are inside each other more than 64 deep
        line 3 of `x.xml` is not XML that can be read: syntax error: tag not closed: `>` not found before end of input
        ");
    }
}
