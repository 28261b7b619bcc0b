// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/fd.h"
#include "base/result.h"
#include "objects/decode.h"
#include "source/watched_directory.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

namespace ebpfd {

// A copy of what each file last validly said, one file each in a folder of its own: an agent
// that starts while a file is broken has its text from here. Written only when there is time.
// And where the folders were that those files lay in: an agent that starts while a mount is
// missing knows an empty folder for another one.
class ValidTexts {
public:
    using Key = std::pair<FolderKind, std::string>; // of folder; absolute path of the file

    // Makes the folder if it is missing. Copies that cannot be used are ignored with a warning.
    static Result<ValidTexts> open(const std::string& folder);
    // Removes it with all that is in it, if it is there.
    static Result<void> remove(const std::string& folder);

    // What there is a copy of, with the copy's size and hash.
    struct Copy {
        uint64_t bytes = 0;
        uint64_t hash = 0;
        bool operator==(const Copy&) const = default;
    };
    const std::map<Key, Copy>& copies() const { return copies_; }
    // Nothing if there is no copy, or none that can be used.
    std::optional<std::string> text(const Key& key);
    // A copy that turned out to be of no use.
    void ignore(const Key& key, std::string_view reason);

    // By the folder. A folder that is not among them was never in force, or not all of its files
    // have a copy. All zero: it was not there.
    using Places = std::map<Key, DirectoryPlace>;
    const Places& places() const { return places_; }

    // To be written by write_next().
    void keep(const Key& key, std::string text);
    void drop(const Key& key);
    // All folders, as they are in force; written once all copies are.
    void set_places(Places places);

    // Whether write_next() has something to do. After a failure not until retry().
    bool due() const { return error_.empty() && (!due_.empty() || places_ != next_places_); }
    void write_next();
    void write_all();
    // All if they are few, as after a change by hand: some 20 us each. Many are for quiet moments;
    // until then the folders are not known.
    void write_few();
    void retry();
    // Why what is due is not written; empty: it is, or will be.
    const std::string& error() const { return error_; }

private:
    ValidTexts(std::string folder, Fd fd) : folder_(std::move(folder)), fd_(std::move(fd)) {}

    void list();
    void read_places();
    void forget_places();
    // Whether it is written by now.
    bool write_text(const Key& key, const std::string& text);
    bool write_places();
    Result<void> write(const std::string& name, std::string_view head, std::string_view text) const;

    std::string folder_;
    Fd fd_;
    std::map<Key, Copy> copies_;
    std::map<Key, std::string> due_;
    Places places_;           // as written
    Places next_places_;      // as they are to be
    std::string error_;       // of the last write
    std::string said_;        // the error that is in the log
    bool unreadable_ = false; // a copy is, so nobody knows which folder lacks one
};

} // namespace ebpfd
