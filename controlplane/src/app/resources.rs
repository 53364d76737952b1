//! Resources: the tree of paths.

use std::collections::HashMap;
use std::sync::Arc;

use super::patch::{PatchOp, PatchOperation};
use super::{App, AppError, Draft, Item, Page, Paging, Workspace};
use crate::model::{Resource, ResourceId};
use crate::store::keys::Part;

impl App {
    /// CreateResource below `parent`.
    pub async fn create_resource(
        &self,
        api: &str,
        parent: &str,
        path_part: &str,
    ) -> Result<Resource, AppError> {
        let limit = self.settings.limits.resources_per_api;
        self.change(
            api,
            || AppError::InvalidResource,
            |workspace, draft| {
                let parent = workspace.resource(parent)?;
                check_path_part(path_part)?;
                check_place(workspace, parent, path_part, None)?;
                if workspace.resources.len() >= limit {
                    return Err(AppError::TooMany { what: "resources" });
                }
                let resource = Resource {
                    id: unused_id(workspace),
                    parent_id: Some(parent.id.clone()),
                    path_part: Some(path_part.to_owned()),
                    path: join(&parent.path, path_part),
                    resource_methods: Default::default(),
                };
                draft.put(Item::Resource(resource.clone()));
                Ok(resource)
            },
        )
        .await
    }

    /// GetResource.
    pub async fn get_resource(&self, api: &str, resource: &str) -> Result<Resource, AppError> {
        let id = ResourceId::parse(resource).map_err(|_| AppError::InvalidResource)?;
        let Ok(api) = crate::model::ApiId::parse(api) else {
            return Err(AppError::InvalidResource);
        };
        let key = crate::store::keys::part(api.as_str(), Part::Resource, id.as_str());
        let row = self.store.get(&key).await?.ok_or(AppError::InvalidResource)?;
        super::workspace::decode(&row)
    }

    /// GetResources, in the order of their paths.
    pub async fn get_resources(
        &self,
        api: &str,
        paging: &Paging,
    ) -> Result<Page<Arc<Resource>>, AppError> {
        let workspace = self.workspace(api).await?;
        let mut resources: Vec<_> = workspace.resources.values().collect();
        resources.sort_unstable_by(|a, b| a.path.cmp(&b.path));
        paging.page(resources.into_iter().map(|resource| (resource.path.clone(), resource.clone())))
    }

    /// UpdateResource: rename or move, with everything below.
    pub async fn update_resource(
        &self,
        api: &str,
        resource: &str,
        patch: &[PatchOperation],
    ) -> Result<Resource, AppError> {
        self.change(
            api,
            || AppError::InvalidResource,
            |workspace, draft| {
                let old = workspace.resource(resource)?;
                let mut changed = Resource::clone(old);
                for operation in patch {
                    apply(workspace, &mut changed, operation)?;
                }
                if changed == **old {
                    return Ok(changed);
                }
                let parent = changed.parent_id.as_ref().expect("only a child can change");
                let parent = workspace.resource(parent.as_str())?;
                let part = changed.path_part.clone().unwrap_or_default();
                check_place(workspace, parent, &part, Some(&changed.id))?;
                changed.path = join(&parent.path, &part);
                move_below(workspace, &changed, draft);
                Ok(changed)
            },
        )
        .await
    }

    /// DeleteResource, with everything below.
    pub async fn delete_resource(&self, api: &str, resource: &str) -> Result<(), AppError> {
        self.change(
            api,
            || AppError::InvalidResource,
            |workspace, draft| {
                let resource = workspace.resource(resource)?;
                if resource.is_root() {
                    return Err(AppError::RootDelete);
                }
                for id in subtree(workspace, &resource.id) {
                    draft.remove(Part::Resource, id.as_str());
                }
                Ok(())
            },
        )
        .await
    }
}

/// The path of a child.
pub(super) fn join(parent: &str, part: &str) -> String {
    if parent == "/" { format!("/{part}") } else { format!("{parent}/{part}") }
}

/// An id no resource of the API has.
fn unused_id(workspace: &Workspace) -> ResourceId {
    loop {
        let id = ResourceId::draw(&mut rand::rng());
        if !workspace.resources.contains_key(&id) {
            return id;
        }
    }
}

/// A part is a literal, `{name}` or `{name+}`.
fn check_path_part(part: &str) -> Result<(), AppError> {
    let name = match part.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
        Some(name) => name.strip_suffix('+').unwrap_or(name),
        None => part,
    };
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"._-:,".contains(&b);
    if name.is_empty() || !name.bytes().all(allowed) {
        Err(AppError::InvalidPathPart)
    } else {
        Ok(())
    }
}

fn is_variable(part: &str) -> bool {
    part.starts_with('{')
}

fn is_greedy(part: &str) -> bool {
    part.ends_with("+}")
}

/// Whether a resource (new, or `itself`) may stand below `parent` with this part.
fn check_place(
    workspace: &Workspace,
    parent: &Resource,
    part: &str,
    itself: Option<&ResourceId>,
) -> Result<(), AppError> {
    if let Some(greedy) = parent.path_part.as_deref().filter(|part| is_greedy(part)) {
        return Err(AppError::ChildOfGreedy { parent: greedy.to_owned() });
    }
    let Some(siblings) = workspace.children.get(&parent.id) else { return Ok(()) };
    if siblings.get(part).is_some_and(|id| Some(id) != itself) {
        return Err(AppError::SiblingName { part: part.to_owned() });
    }
    if is_variable(part) {
        // `{` sorts after every literal, so the variable siblings are at the end.
        let variable = siblings.range("{".to_owned()..).find(|(_, id)| Some(*id) != itself);
        if let Some((sibling, _)) = variable {
            return Err(AppError::VariableSibling { sibling: sibling.clone() });
        }
    }
    Ok(())
}

/// Whether a set of resources is a tree AWS allows: one variable part per parent, nothing below a greedy one.
pub(super) fn check_tree<'r>(
    resources: impl Iterator<Item = &'r Resource> + Clone,
) -> Result<(), AppError> {
    let by_id: HashMap<&ResourceId, &Resource> =
        resources.clone().map(|resource| (&resource.id, resource)).collect();
    let mut variables: HashMap<&ResourceId, &str> = HashMap::new();
    for resource in resources {
        let (Some(parent), Some(part)) = (&resource.parent_id, resource.path_part.as_deref())
        else {
            continue;
        };
        let above = by_id.get(parent).and_then(|parent| parent.path_part.as_deref());
        if let Some(greedy) = above.filter(|part| is_greedy(part)) {
            return Err(AppError::ChildOfGreedy { parent: greedy.to_owned() });
        }
        if is_variable(part)
            && let Some(sibling) = variables.insert(parent, part)
        {
            return Err(AppError::VariableSibling { sibling: sibling.to_owned() });
        }
    }
    Ok(())
}

/// The resource and all below it, parents first.
fn subtree(workspace: &Workspace, id: &ResourceId) -> Vec<ResourceId> {
    let mut found = vec![id.clone()];
    let mut next = 0;
    while next < found.len() {
        if let Some(children) = workspace.children.get(&found[next]) {
            found.extend(children.values().cloned());
        }
        next += 1;
    }
    found
}

/// Puts the changed resource and recomputes the paths of all below it.
fn move_below(workspace: &Workspace, changed: &Resource, draft: &mut Draft) {
    let mut moved = vec![changed.clone()];
    while let Some(parent) = moved.pop() {
        for child in
            workspace.children.get(&parent.id).into_iter().flat_map(|children| children.values())
        {
            let Some(child) = workspace.resources.get(child) else { continue };
            let part = child.path_part.as_deref().unwrap_or_default();
            moved.push(Resource { path: join(&parent.path, part), ..Resource::clone(child) });
        }
        draft.put(Item::Resource(parent));
    }
}

/// One step of UpdateResource. The path is checked before the op, as recorded.
fn apply(
    workspace: &Workspace,
    resource: &mut Resource,
    operation: &PatchOperation,
) -> Result<(), AppError> {
    let path = operation.path();
    let op = crate::model::WireName::name(operation.op);
    if path != "/parentId" && path != "/pathPart" {
        return Err(AppError::PatchPathAmong {
            path: path.to_owned(),
            op,
            among: "/parentId, /pathPart",
        });
    }
    if operation.op != PatchOp::Replace {
        return Err(AppError::PatchOpUnsupported { path: path.to_owned(), op });
    }
    let value = operation.value.as_deref().unwrap_or_default();
    if path == "/pathPart" {
        if resource.is_root() {
            return Err(AppError::RootPathPart);
        }
        check_path_part(value)?;
        if is_greedy(value)
            && workspace.children.get(&resource.id).is_some_and(|children| !children.is_empty())
        {
            return Err(AppError::ChildOfGreedy { parent: value.to_owned() });
        }
        resource.path_part = Some(value.to_owned());
    } else {
        if resource.is_root() {
            return Err(AppError::RootParent);
        }
        let parent = workspace.resource(value)?;
        let mut above = Some(parent);
        while let Some(ancestor) = above {
            if ancestor.id == resource.id {
                return Err(AppError::CyclicalResources);
            }
            above = ancestor.parent_id.as_ref().and_then(|id| workspace.resources.get(id));
        }
        resource.parent_id = Some(parent.id.clone());
    }
    Ok(())
}
