// image.build jobs whose context a client streams: the instance that receives it claims the job,
// and hands the stream on to the server that builds. Nothing of the context is kept, so there is
// one attempt: if it ends early, the job has failed (context_lost), and the client sends again.
#pragma once

#include <string>

#include "a4c/host_images.h"
#include "apps/a4cd/jobs/job.h"
#include "apps/a4cd/work/work_context.h"

namespace a4cd {

// Until the job has ended; an error: it was not begun. kNotFound, or kConflict: it does not wait
// for a context, or another is being sent. `stop` ends it early.
a4c::Result<void> BuildFromContext(WorkContext& context, const a4c::Call& stop,
                                   const std::string& tenant, const std::string& id,
                                   const a4c::ByteSource& tar);

}  // namespace a4cd
