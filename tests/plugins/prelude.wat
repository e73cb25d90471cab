;; A plugin for the world `filter` of dockgate:filter@0.1.0, with holes in double braces for what it
;; does when it is asked, and so on. `wat.rs` fills them.
(component
  (import "dockgate:filter/types@0.1.0" (instance $types
    (type $head (record
      (field "operation" string) (field "method" string) (field "path" string)
      (field "api-version" (option string)) (field "target" (option string))
      (field "body" string)))
    (export "request-head" (type (eq $head)))
    (type $denial (record
      (field "status" u16) (field "code" string) (field "message" string)
      (field "hint" (option string))))
    (export "denial" (type $denial-named (eq $denial)))
    (type $verdict (variant (case "abstain") (case "allow") (case "deny" $denial-named)))
    (export "verdict" (type (eq $verdict)))))
  (alias export $types "request-head" (type $request-head))
  (alias export $types "verdict" (type $verdict))

  (import "dockgate:filter/request@0.1.0" (instance $request
    (export "query" (func (param "name" string) (result (option string))))
    (export "query-all" (func (result (list (tuple string string)))))
    (export "header" (func (param "name" string) (result (option string))))))
  (import "dockgate:filter/client@0.1.0" (instance $client
    (export "listener" (func (result (option string))))
    (export "address" (func (result (option string))))))
  (import "dockgate:filter/edit@0.1.0" (instance $edit
    (export "set-query" (func (param "name" string) (param "value" string)))
    (export "remove-query" (func (param "name" string)))
    (export "set-header" (func (param "name" string) (param "value" string)))
    (export "remove-header" (func (param "name" string)))
    (export "set-target" (func (param "target" string)))
    (export "respond" (func (param "status" u16) (param "json" string)))))
  (import "dockgate:filter/log@0.1.0" (instance $log
    (type $level (enum "debug" "info" "warning" "error"))
    (export "level" (type $level-named (eq $level)))
    (export "write" (func (param "level" $level-named) (param "message" string)))))
  {{imports}}

  ;; Memory for texts in the first page, the answer at 256, room for what the proxy hands over in
  ;; the next eight, used in a ring.
  (core module $memory-module
    (memory (export "memory") {{pages}})
    (global $next (mut i32) (i32.const 65536))
    (func (export "realloc") (param $old i32) (param $old-size i32) (param $align i32)
      (param $size i32) (result i32)
      (local $place i32)
      (local.set $place (i32.and (i32.add (global.get $next) (i32.const 7)) (i32.const -8)))
      (if (i32.gt_u (i32.add (local.get $place) (local.get $size)) (i32.const 589824))
        (then (local.set $place (i32.const 65536))))
      (global.set $next (i32.add (local.get $place) (local.get $size)))
      (local.get $place)))
  (core instance $memory-instance (instantiate $memory-module))
  (alias core export $memory-instance "memory" (core memory $memory))
  (alias core export $memory-instance "realloc" (core func $realloc))

  (core func $query (canon lower (func $request "query") (memory $memory) (realloc $realloc)))
  (core func $query-all (canon lower (func $request "query-all") (memory $memory) (realloc $realloc)))
  (core func $header (canon lower (func $request "header") (memory $memory) (realloc $realloc)))
  (core func $listener (canon lower (func $client "listener") (memory $memory) (realloc $realloc)))
  (core func $address (canon lower (func $client "address") (memory $memory) (realloc $realloc)))
  (core func $set-query (canon lower (func $edit "set-query") (memory $memory)))
  (core func $remove-query (canon lower (func $edit "remove-query") (memory $memory)))
  (core func $set-header (canon lower (func $edit "set-header") (memory $memory)))
  (core func $remove-header (canon lower (func $edit "remove-header") (memory $memory)))
  (core func $set-target (canon lower (func $edit "set-target") (memory $memory)))
  (core func $respond (canon lower (func $edit "respond") (memory $memory)))
  (core func $write (canon lower (func $log "write") (memory $memory)))
  {{lowered}}

  (core module $plugin-module
    (import "memory" "memory" (memory $memory 1))
    (import "proxy" "query" (func $query (param i32 i32 i32)))
    (import "proxy" "query-all" (func $query-all (param i32)))
    (import "proxy" "header" (func $header (param i32 i32 i32)))
    (import "proxy" "listener" (func $listener (param i32)))
    (import "proxy" "address" (func $address (param i32)))
    (import "proxy" "set-query" (func $set-query (param i32 i32 i32 i32)))
    (import "proxy" "remove-query" (func $remove-query (param i32 i32)))
    (import "proxy" "set-header" (func $set-header (param i32 i32 i32 i32)))
    (import "proxy" "remove-header" (func $remove-header (param i32 i32)))
    (import "proxy" "set-target" (func $set-target (param i32 i32)))
    (import "proxy" "respond" (func $respond (param i32 i32 i32)))
    (import "proxy" "write" (func $write (param i32 i32 i32)))
    {{module-imports}}
    {{data}}

    ;; The request under decision.
    (global $operation (mut i32) (i32.const 0))
    (global $operation-length (mut i32) (i32.const 0))
    (global $path (mut i32) (i32.const 0))
    (global $path-length (mut i32) (i32.const 0))
    (global $target (mut i32) (i32.const 0))
    (global $target-length (mut i32) (i32.const 0))
    ;; What it is set up from.
    (global $settings (mut i32) (i32.const 0))
    (global $settings-length (mut i32) (i32.const 0))
    (global $environment (mut i32) (i32.const 0))
    (global $environment-length (mut i32) (i32.const 0))
    (global $other-names (mut i32) (i32.const 0))
    (global $other-names-length (mut i32) (i32.const 0))

    (func (export "configure") (param i32 i32 i32 i32 i32 i32) (result i32)
      (global.set $settings (local.get 0))
      (global.set $settings-length (local.get 1))
      (global.set $environment (local.get 2))
      (global.set $environment-length (local.get 3))
      (global.set $other-names (local.get 4))
      (global.set $other-names-length (local.get 5))
      ;; An empty list of problems.
      (i64.store (i32.const 256) (i64.const 0))
      (call $configure)
      (i32.const 256))
    (func $configure {{configure}})
    ;; Makes this the one problem.
    (func $report (param $subject i32) (param $subject-length i32)
      (param $message i32) (param $message-length i32) (param $fatal i32)
      (i32.store (i32.const 256) (i32.const 768))
      (i32.store (i32.const 260) (i32.const 1))
      (i32.store (i32.const 768) (local.get $subject))
      (i32.store (i32.const 772) (local.get $subject-length))
      (i32.store (i32.const 776) (local.get $message))
      (i32.store (i32.const 780) (local.get $message-length))
      (i32.store8 (i32.const 784) (local.get $fatal)))

    (func (export "permissions") (result i32) {{permissions}})

    ;; Gives the address of its verdict, see `$allow` and its kin.
    (func (export "decide")
      (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
      (global.set $operation (local.get 0))
      (global.set $operation-length (local.get 1))
      (global.set $path (local.get 4))
      (global.set $path-length (local.get 5))
      (global.set $target (local.get 10))
      (global.set $target-length (local.get 11))
      (call $decide))
    (func $decide (result i32) {{decide}})

    (func $abstain (result i32)
      (i32.store8 (i32.const 256) (i32.const 0))
      (i32.const 256))
    (func $allow (result i32)
      (i32.store8 (i32.const 256) (i32.const 1))
      (i32.const 256))
    ;; Its code is empty, and it has no hint.
    (func $deny (param $status i32) (param $message i32) (param $length i32) (result i32)
      (i32.store8 (i32.const 256) (i32.const 2))
      (i32.store16 (i32.const 260) (local.get $status))
      (i64.store (i32.const 264) (i64.const 0))
      (i32.store (i32.const 272) (local.get $message))
      (i32.store (i32.const 276) (local.get $length))
      (i32.store8 (i32.const 280) (i32.const 0))
      (i32.const 256))

    (func $path-has (param $text i32) (param $length i32) (result i32)
      (local $at i32)
      (block $no
        (loop $next
          (br_if $no (i32.gt_u (i32.add (local.get $at) (local.get $length)) (global.get $path-length)))
          (if (call $same (i32.add (global.get $path) (local.get $at)) (local.get $text) (local.get $length))
            (then (return (i32.const 1))))
          (local.set $at (i32.add (local.get $at) (i32.const 1)))
          (br $next)))
      (i32.const 0))
    (func $same (param $a i32) (param $b i32) (param $length i32) (result i32)
      (block $no
        (loop $next
          (if (i32.eqz (local.get $length)) (then (return (i32.const 1))))
          (local.set $length (i32.sub (local.get $length) (i32.const 1)))
          (br_if $no (i32.ne
            (i32.load8_u (i32.add (local.get $a) (local.get $length)))
            (i32.load8_u (i32.add (local.get $b) (local.get $length)))))
          (br $next)))
      (i32.const 0))

    (func $say (param $text i32) (param $length i32)
      (call $write (i32.const 1) (local.get $text) (local.get $length)))
    ;; Says the optional text at 512, where `$header` and the like are told to put it.
    (func $say-found
      (if (i32.load8_u (i32.const 512))
        (then (call $say (i32.load (i32.const 516)) (i32.load (i32.const 520))))
        (else (call $say {{nothing}}))))
    (func $say-header (param $name i32) (param $length i32)
      (call $header (local.get $name) (local.get $length) (i32.const 512))
      (call $say-found))
    (func $say-query (param $name i32) (param $length i32)
      (call $query (local.get $name) (local.get $length) (i32.const 512))
      (call $say-found))
    ;; Says each text of a list: the names of pairs where the stride is 16.
    (func $say-each (param $list i32) (param $length i32) (param $stride i32)
      (block $end
        (loop $next
          (br_if $end (i32.eqz (local.get $length)))
          (call $say (i32.load (local.get $list)) (i32.load offset=4 (local.get $list)))
          (local.set $list (i32.add (local.get $list) (local.get $stride)))
          (local.set $length (i32.sub (local.get $length) (i32.const 1)))
          (br $next))))
    {{functions}})
  (core instance $plugin (instantiate $plugin-module
    (with "memory" (instance $memory-instance))
    (with "proxy" (instance
      (export "query" (func $query))
      (export "query-all" (func $query-all))
      (export "header" (func $header))
      (export "listener" (func $listener))
      (export "address" (func $address))
      (export "set-query" (func $set-query))
      (export "remove-query" (func $remove-query))
      (export "set-header" (func $set-header))
      (export "remove-header" (func $remove-header))
      (export "set-target" (func $set-target))
      (export "respond" (func $respond))
      (export "write" (func $write))
      {{module-arguments}}))))

  (type $problem (record (field "subject" string) (field "message" string) (field "fatal" bool)))
  (func $configure
    (param "settings" string) (param "environment" (list (tuple string string)))
    (param "other-names" (list string)) (result (list $problem))
    (canon lift (core func $plugin "configure") (memory $memory) (realloc $realloc)))
  (instance $lifecycle (export "problem" (type $problem)) (export "configure" (func $configure)))
  (export "dockgate:filter/lifecycle@0.1.0" (instance $lifecycle))

  (func $decide (param "request" $request-head) (result $verdict)
    (canon lift (core func $plugin "decide") (memory $memory) (realloc $realloc)))
  (instance $on-request (export "decide" (func $decide)))
  (export "dockgate:filter/on-request@0.1.0" (instance $on-request))
  {{overview}}
  {{manifest}})
