//! Code flows and regions.

use chaffinch_core::{FlowRole, LineRange, Region};

use super::{
    uri::Locator,
    wire::{CodeFlows, Location, Region as WireRegion, Run, Step},
};
use crate::{
    draft::{Collector, DraftStep},
    lenient::Object,
};

/// Longer entries of `threadFlowLocations` are passed over: each may be pointed at many times.
const MAX_SHARED_STEP: usize = 8_192;

/// Lines and columns, if the region has lines.
pub(super) fn region(region: &WireRegion<'_>) -> Option<Region> {
    let start = region.start_line.position()?;
    Some(Region {
        lines: LineRange::new(start, region.end_line.position().unwrap_or(start)),
        start_column: region.start_column.position(),
        end_column: region.end_column.position(),
    })
}

/// The steps of a result's flow: the first is the source, the last the sink.
pub(super) fn flow(
    flows: CodeFlows<'_>,
    run: &Run<'_>,
    locator: &mut Locator<'_, '_>,
    collector: &mut Collector<'_>,
) -> Vec<DraftStep> {
    let Some(thread) = flows.0.and_then(|flow| flow.thread_flows.0) else { return Vec::new() };
    let steps = thread.locations;
    collector.skipped.flow_steps += steps.dropped;
    if !collector.take_steps(steps.items.len()) {
        return Vec::new();
    }
    let last = steps.items.len() - 1;
    let mut flow = Vec::with_capacity(steps.items.len());
    for (i, step) in steps.items.into_iter().enumerate() {
        let role = match i {
            _ if i == last => FlowRole::Sink,
            0 => FlowRole::Source,
            _ => FlowRole::Step,
        };
        match step.0.and_then(|step| read(step, role, run, locator, collector)) {
            Some(step) => flow.push(step),
            None => collector.skipped.flow_steps += 1,
        }
    }
    flow
}

fn read(
    step: Step<'_>,
    role: FlowRole,
    run: &Run<'_>,
    locator: &mut Locator<'_, '_>,
    collector: &mut Collector<'_>,
) -> Option<DraftStep> {
    let shared: Step<'_>;
    let mut location: Option<&Location<'_>> = step.location.get();
    if location.is_none() {
        let slice = run.thread_flow_locations.items.get(step.index.index()?)?.get();
        let slice = Some(slice).filter(|slice| slice.len() <= MAX_SHARED_STEP)?;
        shared = serde_json::from_str::<Object<Step<'_>>>(slice).ok()?.0?;
        location = shared.location.get();
    }
    let location = location?;
    let physical = location.physical_location.get()?;
    let place = locator.locate(physical.artifact_location.get()?, &collector.places)?;
    let place = collector.places.add(place);
    let region = physical.region.get().and_then(region);
    let message = location.message.0.get().map(|text| collector.message(text));
    Some(DraftStep { role, place, region, message })
}
