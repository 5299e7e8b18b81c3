// The inside of a scan's cursor: a mark of the request, then the position.
#pragma once

#include <optional>

#include "a4c/scan_rules.h"

namespace a4c {

// True if the value is one of the field's type, and fit to stand in an index.
bool FitsField(const Field& field, const Scalar& value);

// Nothing if the cursor is damaged or was made for another request.
std::optional<ScanPosition> DecodeCursor(const ScanRequest& request, const ScanPlan& plan);

}  // namespace a4c
