//! VPC links: create, show, change, delete. Ours are available at once; the answer to CreateVpcLink says `PENDING`, as AWS's does.

use tidegate_engine::snapshot::{BadTarget, MAX_TARGETS, Target};

use super::patch::{PatchOp, PatchOperation};
use super::{App, AppError, Page, Paging, arn, tags};
use crate::model::{StringMap, VpcLink, VpcLinkId, VpcLinkStatus, WireName as _};
use crate::store::{ChangeKind, keys};

/// The tag that says where a link leads, since there are no load balancers here: `host:port`, several of them separated by spaces.
pub const TARGETS_TAG: &str = "tidegate:targets";

/// The targets that a link's tags name.
///
/// # Errors
/// If one of them is no target, or there are too many.
pub fn targets(tags: Option<&StringMap>) -> Result<Vec<String>, BadTarget> {
    let tag = tags.and_then(|tags| tags.get(TARGETS_TAG));
    let named = tag.map(String::as_str).unwrap_or_default().split_ascii_whitespace();
    let targets: Vec<String> = named
        .map(|text| Target::parse(text).map(|target| target.to_string()))
        .collect::<Result<_, _>>()?;
    if targets.len() > MAX_TARGETS { Err(BadTarget::TooMany) } else { Ok(targets) }
}

/// Refuses tags whose targets are none.
pub(super) fn check_targets(tags: &StringMap) -> Result<(), AppError> {
    targets(Some(tags)).map_err(|cause| AppError::InvalidVpcLinkTargets { cause }).map(drop)
}

/// What CreateVpcLink is told.
#[derive(Debug, Clone, Default)]
#[allow(missing_docs, reason = "each member is VpcLink's of its name")]
pub struct CreateVpcLink {
    pub name: String,
    pub description: Option<String>,
    pub target_arns: Vec<String>,
    pub tags: Option<StringMap>,
}

impl App {
    /// CreateVpcLink.
    pub async fn create_vpc_link(&self, input: CreateVpcLink) -> Result<VpcLink, AppError> {
        let made = vpc_link(input)?;
        let limit = self.settings.limits.vpc_links;
        if self.store.scan(keys::VPC_LINKS, None, limit).await?.len() >= limit {
            return Err(AppError::TooManyOf { what: "VPC links", of: "account" });
        }
        for mut rows in self.transactions() {
            let id = VpcLinkId::draw(&mut rand::rng());
            let row = keys::vpc_link(id.as_str());
            if rows.has(&row).await? {
                continue;
            }
            let link = VpcLink { id, ..made.clone() };
            rows.put(row, &link, ChangeKind::VpcLink);
            if rows.commit().await? {
                return Ok(VpcLink {
                    status: VpcLinkStatus::Pending,
                    status_message: None,
                    ..link
                });
            }
        }
        Err(AppError::ConcurrentModification)
    }

    /// GetVpcLink.
    pub async fn get_vpc_link(&self, id: &str) -> Result<VpcLink, AppError> {
        self.row(&keys::vpc_link(id)).await?.ok_or(AppError::InvalidVpcLink)
    }

    /// GetVpcLinks, in the order of their ids.
    pub async fn get_vpc_links(&self, paging: &Paging) -> Result<Page<VpcLink>, AppError> {
        self.page_of_rows(keys::VPC_LINKS, paging).await
    }

    /// UpdateVpcLink: name and description.
    pub async fn update_vpc_link(
        &self,
        id: &str,
        steps: &[PatchOperation],
    ) -> Result<VpcLink, AppError> {
        let row = keys::vpc_link(id);
        for mut rows in self.transactions() {
            let old: VpcLink = rows.get(&row).await?.ok_or(AppError::InvalidVpcLink)?;
            let mut link = old.clone();
            for step in steps {
                apply(&mut link, step)?;
            }
            if link != old {
                rows.put(row.clone(), &link, ChangeKind::VpcLink);
            }
            if rows.commit().await? {
                return Ok(link);
            }
        }
        Err(AppError::ConcurrentModification)
    }

    /// DeleteVpcLink, unless a method uses it.
    pub async fn delete_vpc_link(&self, id: &str) -> Result<(), AppError> {
        let row = keys::vpc_link(id);
        for mut rows in self.transactions() {
            if !rows.has(&row).await? {
                return Err(AppError::InvalidVpcLink);
            }
            if let Some((form, uses)) = self.uses_of_vpc_link(id).await? {
                let uses = uses.join(", ");
                return Err(AppError::VpcLinkInUse { id: id.to_owned(), uses, form });
            }
            rows.delete(row.clone(), ChangeKind::VpcLink);
            if rows.commit().await? {
                return Ok(());
            }
        }
        Err(AppError::ConcurrentModification)
    }
}

/// The link a caller describes, checked; its id is not its own yet.
fn vpc_link(input: CreateVpcLink) -> Result<VpcLink, AppError> {
    if input.name.is_empty() {
        return Err(AppError::EmptyName);
    }
    match &input.target_arns[..] {
        [] => return Err(AppError::NoVpcLinkTarget),
        [arn] if !arn::is_well_formed(arn) => {
            return Err(AppError::MalformedArn { arn: arn.clone() });
        }
        [_] => {}
        _ => return Err(AppError::ManyVpcLinkTargets),
    }
    let tags = input.tags.filter(|tags| !tags.is_empty());
    tags.iter().try_for_each(tags::check)?;
    tags.iter().try_for_each(check_targets)?;
    Ok(VpcLink {
        id: VpcLinkId::draw(&mut rand::rng()),
        name: input.name,
        description: input.description.filter(|text| !text.is_empty()),
        target_arns: input.target_arns,
        status: VpcLinkStatus::Available,
        status_message: Some(READY.to_owned()),
        tags,
    })
}

fn apply(link: &mut VpcLink, step: &PatchOperation) -> Result<(), AppError> {
    let (path, op) = (step.path().to_owned(), step.op.name());
    if path.starts_with("/targetArns") {
        return Err(AppError::VpcLinkTargetsAreFixed);
    }
    if step.op != PatchOp::Replace {
        return Err(AppError::PatchOpUnsupported { path, op });
    }
    match &*path {
        "/name" => link.name = step.nullable().ok_or(AppError::EmptyName)?,
        "/description" => link.description = step.nullable(),
        _ => return Err(AppError::PatchPathAmong { path, op, among: "/description, /name" }),
    }
    Ok(())
}

/// As recorded.
const READY: &str = "Your vpc link is ready for use";
