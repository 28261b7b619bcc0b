// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "model/objects.h"
#include "model/shared_list.h"

#include <memory>
#include <string>
#include <vector>

namespace ebpfd {

// The objects of one kind that are in force, in their order(). A file that changes has
// its own objects exchanged; only where an object stands twice, or much changes at once, is all
// gathered anew.
template <class T> class KindInForce {
public:
    using Object = std::shared_ptr<const T>;
    using List = std::vector<Object>;

    // A file says the one in place of the other.
    void exchange(const List& before, const List& now);
    // Whether the list is to be gathered anew before it is read.
    bool is_stale() const { return stale_; }
    // From files in the order of their precedence, the highest last.
    void gather(const std::vector<const List*>& files);

    const SharedList<Object>& list() const { return list_; }
    // One sentence for each object that does not count: it names both places.
    const std::vector<std::string>& duplicates() const { return duplicates_; }

private:
    bool take_out(const Object& object, List& list) const;
    bool put_in(const Object& object, List& list) const;

    SharedList<Object> list_;
    std::vector<std::string> duplicates_;
    bool stale_ = false;
};

} // namespace ebpfd
