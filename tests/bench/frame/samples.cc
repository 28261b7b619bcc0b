// SPDX-License-Identifier: Apache-2.0
#include "bench/frame/samples.h"

namespace bench {

double ratio(const Samples& samples, const Samples& base)
{
    if (samples.values().size() != base.values().size())
        return samples.median() / base.median();
    Samples ratios;
    for (size_t round = 0; round < base.values().size(); ++round)
        ratios.add(samples.values()[round] / base.values()[round]);
    return ratios.median();
}

} // namespace bench
