//! Documents of EML_NL and eCH-0252. The first byte chooses what stands around the rest, so that the readers are reached
//! without their long beginnings; 0 is a whole file. Start it from real files with a zero before them.
#![no_main]

const EML: &str =
    "<EML xmlns='urn:oasis:names:tc:evs:schema:eml' xmlns:kr='http://www.kiesraad.nl/extensions' Id='";
const HEAD: &str = "' SchemaVersion='5'><TransactionId>1</TransactionId><ManagingAuthority><AuthorityIdentifier Id='0042'>A\
    </AuthorityIdentifier><AuthorityAddress/></ManagingAuthority><IssueDate>2026-03-18</IssueDate>\
    <kr:CreationDateTime>2026-03-18T00:00:00</kr:CreationDateTime>";
const ECH: &str = "<delivery xmlns='http://www.ech.ch/xmlns/eCH-0252/2'><";

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Some((first, rest)) = bytes.split_first() else { return };
    let rest = String::from_utf8_lossy(rest);
    let election = "<Election><ElectionIdentifier Id='E'><ElectionName>E</ElectionName></ElectionIdentifier>";
    let text = match first % 8 {
        0 => rest.into_owned(),
        1 => format!("{EML}510b{HEAD}<Count>{election}<Contests>{rest}</Contests></Election></Count></EML>"),
        2 => format!(
            "{EML}510d{HEAD}<Count>{election}<Contests><Contest><ContestIdentifier Id='geen'/><TotalVotes>{rest}\
             </TotalVotes></Contest></Contests></Election></Count></EML>"
        ),
        3 => format!("{EML}110b{HEAD}<ElectionEvent><EventIdentifier/>{rest}</ElectionEvent></EML>"),
        4 => format!("{EML}230b{HEAD}<CandidateList>{rest}</CandidateList></EML>"),
        5 => format!("{ECH}voteBaseDelivery><cantonId>1</cantonId>{rest}</voteBaseDelivery></delivery>"),
        6 => format!(
            "{ECH}electionInformationDelivery><cantonId>1</cantonId>{rest}</electionInformationDelivery></delivery>"
        ),
        _ => format!(
            "{ECH}electionResultDelivery><cantonId>1</cantonId>{rest}</electionResultDelivery></delivery>"
        ),
    };
    if let Ok(read) = results::read::read(text.as_bytes(), "input", None) {
        for tally in &read.tallies {
            assert!(read.draft.units.contains_key(&tally.unit), "a tally's unit is in the draft");
            assert!(read.draft.contests.contains_key(&tally.contest), "a tally's contest is in the draft");
        }
    }
});
