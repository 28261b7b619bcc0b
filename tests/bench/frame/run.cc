// SPDX-License-Identifier: Apache-2.0
#include "bench/frame/run.h"

#include <fmt/format.h>
#include <stdexcept>
#include <unistd.h>

namespace bench {

Run::Run(bool quick)
{
    results_.quick = quick;
    results_.machine = this_machine();
}

void Run::say(const std::string& progress) const
{
    // On a terminal one line that changes; in a log, one line each.
    if (isatty(STDERR_FILENO))
        fmt::print(stderr, "\r\033[K{}", progress);
    else
        fmt::print(stderr, "{}\n", progress);
    std::fflush(stderr);
}

void Run::measure(const std::vector<Measurement>& what, const std::vector<Variant>& variants)
{
    std::vector<std::vector<Samples>> samples(variants.size(), std::vector<Samples>(what.size()));
    for (int round = 0; round <= rounds(); ++round) {
        if (round == 0 || isatty(STDERR_FILENO))
            say(fmt::format("{}: {}, {} variants, round {} of {}", what.front().group,
                            what.front().name, variants.size(), round, rounds()));
        for (size_t variant = 0; variant < variants.size(); ++variant) {
            const auto values = variants[variant].take();
            if (values.size() != what.size())
                throw std::logic_error("a variant does not measure what it should");
            for (size_t i = 0; i < values.size() && round > 0; ++i)
                samples[variant][i].add(values[i]);
        }
    }
    for (size_t i = 0; i < what.size(); ++i)
        for (size_t variant = 0; variant < variants.size(); ++variant)
            results_.add(what[i],
                         {variants[variant].name, variants[variant].size, samples[variant][i]});
}

void Run::record(const Measurement& what, const std::string& variant, std::optional<double> size,
                 Samples samples)
{
    say(fmt::format("{}: {}, {}", what.group, what.name, variant));
    results_.add(what, {variant, size, std::move(samples)});
}

Results Run::finish()
{
    if (isatty(STDERR_FILENO))
        fmt::print(stderr, "\n");
    results_.machine.load_after = load_average();
    return std::move(results_);
}

} // namespace bench
